# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Checks of the clocks: a skew counts only as far as the time the probe took leaves no doubt."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import judge, result


def offset(probe):
    """Return the lowest and the highest offset from the controller's clock that a probe allows.

    The host read its clock for the first time after the controller had sent the probe, and for the last time before the
    controller had the answer.
    """
    clock, controller = probe["clock"], probe["controller"]
    return clock["finished"] - controller["received"], clock["started"] - controller["sent"]


def gap(one, other):
    """Return the smallest distance between two ranges."""
    return max(0.0, one[0] - other[1], other[0] - one[1])


def _verdict(check, host, other, reference, limits):
    own = offset(host.probe)
    measured = round(gap(own, reference), 1)
    status = judge(-measured, *(None if limits.get(key) is None else -limits[key] for key in ("maximum", "recommended")))
    if measured:
        message = f"the clock is at least {measured:g} s {'ahead of' if own[0] > reference[1] else 'behind'} that of {other}"
    else:
        message = f"no skew against the clock of {other} (known to {(own[1] - own[0] + reference[1] - reference[0]) / 2:.1f} s)"
    return result(
        check,
        status,
        message,
        subject=other,
        measured=measured,
        minimum=limits.get("maximum"),
        recommended=limits.get("recommended"),
        unit="seconds at most",
        mend="set the clock and run a time service: certificates and tokens are refused by a clock that is off",
    )


def check_clock_controller(host, limits):
    yield _verdict("clock_controller", host, "the controller", (0.0, 0.0), limits)


def check_clock_hosts(host, limits):
    middle = sorted(host.probed, key=lambda name: sum(offset(host.probed[name])))
    reference = middle[(len(middle) - 1) // 2]
    if reference != host.name:
        yield _verdict("clock_hosts", host, reference, offset(host.probed[reference]), limits)


def check_clock_synchronised(host, limits):
    synchronised = host.probe["clock"]["synchronised"]
    if synchronised is None:
        message = "not known: the kernel does not tell, or the clock is that of the machine around this container"
        yield result("clock_synchronised", "skipped", message)
        return
    yield result(
        "clock_synchronised",
        "ok" if synchronised else limits["level"],
        "the clock is synchronised" if synchronised else "the clock is not synchronised with a time server",
        measured=synchronised,
        mend="run chrony, systemd-timesyncd or ntpd",
    )


CLOCK_CHECKS = {
    "clock_controller": check_clock_controller,
    "clock_hosts": check_clock_hosts,
    "clock_synchronised": check_clock_synchronised,
}
