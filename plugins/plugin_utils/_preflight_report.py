# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From the declarations and probes of all hosts to one report, and from the report to words."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_clock import CLOCK_CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import CHECKS, KEYED
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_images import IMAGE_CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_machine import MACHINE_CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_network import NETWORK_CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_system import SYSTEM_CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import result

FUNCTIONS = {**MACHINE_CHECKS, **SYSTEM_CHECKS, **CLOCK_CHECKS, **NETWORK_CHECKS, **IMAGE_CHECKS}
STATUSES = ("ok", "warn", "fail", "waived", "skipped")
# From worst to best: of several profiles' verdicts on one thing the first counts.
SEVERITY = ("fail", "warn", "waived", "ok", "skipped")
VERDICTS = ("unreachable", "not probed", "below minimum", "below recommended", "fit")


@dataclass(frozen=True)
class Host:
    """All that a check may look at: one host seen through one of its profiles, and its peers."""

    name: str
    declared: dict
    profile_name: str
    hosts: dict
    probed: dict
    groups: dict

    @property
    def profile(self):
        return self.declared["profiles"][self.profile_name]

    @property
    def profiles(self):
        return self.declared["profiles"]

    @property
    def probe(self):
        return self.probed[self.name]

    @property
    def installed(self):
        """Whether the profile's product has left its traces on the host."""
        return bool(set(self.profile.get("traces", [])) & set(self.probe["traces"]))


def judge_profile(host):
    """Yield the verdicts of every check that the host's profile asks for."""
    for check in CHECKS:
        limits = host.profile.get(check)
        unlevelled = check not in KEYED and "level" in CHECKS[check] and "level" not in (limits or {})
        if limits and not unlevelled:
            for verdict in FUNCTIONS[check](host, limits):
                yield {**verdict, "profile": host.profile_name}


def waive(verdict, waived):
    """Turn a warning or a failure that the operator accepts into a waived one, which stays in sight."""
    names = {verdict["check"], f"{verdict['check']}:{verdict['subject']}"}
    if verdict["status"] not in ("warn", "fail") or not names & set(waived):
        return verdict
    return {**verdict, "status": "waived", "message": f"{verdict['message']} (waived {verdict['status']})"}


def judge_host(name, hosts, probed, groups):
    """Return the verdicts on one host, the strictest of its profiles for each thing that is checked."""
    kept = {}
    for profile in hosts[name]["profiles"]:
        for verdict in judge_profile(Host(name, hosts[name], profile, hosts, probed, groups)):
            key = (verdict["check"], verdict["subject"])
            if key not in kept or SEVERITY.index(verdict["status"]) < SEVERITY.index(kept[key]["status"]):
                kept[key] = verdict
    verdicts = [waive(verdict, hosts[name]["waive"]) for verdict in kept.values()]
    return sorted(verdicts, key=lambda verdict: (SEVERITY.index(verdict["status"]), list(CHECKS).index(verdict["check"])))


def _failed_probe(probe):
    """The verdict on a host that could not be looked at, or None."""
    if probe.get("unreachable"):
        mend = "mend the connection (address, user, key), or take the host out of the run with --limit"
        return "unreachable", result("probe", "fail", f"unreachable: {_last_line(probe.get('msg'))}", mend=mend)
    if probe.get("failed") or "clock" not in probe:
        reason = probe.get("module_stderr") or probe.get("msg") or "no answer"
        mend = probe.get("mend") or "see that the host has Python 3.8 or newer, and run with -vvv for the whole answer"
        return "not probed", result("probe", "fail", f"cannot be probed: {_last_line(reason)}", mend=mend)
    return None


def _last_line(text):
    """Return where a traceback or a connection's complaint comes to the point."""
    return (text or "no answer").strip().splitlines()[-1].removeprefix("Task failed: ")


def build(hosts, probes, groups, enforce=True):
    """Return the report on all hosts."""
    lost = {name: failed for name in hosts for failed in [_failed_probe(probes.get(name) or {})] if failed}
    probed = {name: probes[name] for name in hosts if name not in lost}
    report = {"hosts": {}, "notes": []}
    for name, declared in hosts.items():
        if name in lost:
            verdict, verdicts = lost[name][0], [lost[name][1]]
        else:
            verdicts = judge_host(name, hosts, probed, groups)
            found = {entry["status"] for entry in verdicts}
            verdict = "below minimum" if "fail" in found else "below recommended" if "warn" in found else "fit"
        entry = {
            "verdict": verdict,
            "profiles": list(declared["profiles"]),
            "address": declared["address"],
            "counts": {status: sum(one["status"] == status for one in verdicts) for status in STATUSES},
            "results": verdicts,
        }
        # What could not be looked at is never waved through: nobody knows what it would have said.
        entry["refused"] = name in lost or (enforce and verdict == "below minimum")
        entry["refusal"] = refusal(name, entry) if entry["refused"] else ""
        report["hosts"][name] = entry
    verdicts = [entry["verdict"] for entry in report["hosts"].values()]
    report["verdict"] = min(verdicts, key=VERDICTS.index, default="fit")
    report["summary"] = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    report["enforced"] = enforce
    report["notes"] = _notes(hosts)
    return report


def _notes(hosts):
    datagrams = {
        int(port["port"])
        for declared in hosts.values()
        for profile in declared["profiles"].values()
        for port in profile.get("ports", {}).values()
        if port.get("protocol") == "udp" and port.get("from")
    }
    if not datagrams or len(hosts) < 2:
        return []
    ports = ", ".join(map(str, sorted(datagrams)))
    return [f"UDP {ports}: whether datagrams pass between the hosts cannot be proven from outside; see that firewalls let them through."]


def _what(verdict):
    return f"{verdict['check']} {verdict['subject']}".strip()


def refusal(name, entry):
    """Return everything that stands against one host, in one message."""
    failures = [verdict for verdict in entry["results"] if verdict["status"] == "fail"]
    lines = [f"{name} is {entry['verdict']} ({', '.join(entry['profiles'])}); nothing was changed on it."]
    lines += [f"- {_what(verdict)}: {verdict['message']}. Mend: {verdict['mend']}." for verdict in failures]
    if entry["verdict"] == "below minimum":
        names = ", ".join(dict.fromkeys(verdict["check"] for verdict in failures))
        lines.append(f"To accept this knowingly: preflight_waive: [{names}]; other limits: preflight_thresholds.")
    return "\n".join(lines)


def _table(header, rows):
    widths = [max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))]
    return ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]


def render(report, show_all=False):
    """Return the report as lines of aligned text."""
    summary = ", ".join(f"{count} {verdict}" for verdict, count in reversed(report["summary"].items()) if count)
    lines = [f"Preflight of {len(report['hosts'])} host(s): {summary}", ""]
    lines += _table(
        ("HOST", "VERDICT", "PROFILES", *(status.upper() for status in STATUSES)),
        [(name, entry["verdict"], ",".join(entry["profiles"]), *entry["counts"].values()) for name, entry in report["hosts"].items()],
    )
    shown = [
        (name, verdict)
        for name, entry in report["hosts"].items()
        for verdict in entry["results"]
        if show_all or verdict["status"] not in ("ok", "skipped")
    ]
    if shown:
        lines += [""]
        rows = []
        for name, verdict in shown:
            rows.append((name, verdict["status"].upper(), _what(verdict), verdict["message"]))
            if verdict["mend"]:
                rows.append(("", "", "", f"  mend: {verdict['mend']}"))
        lines += _table(("HOST", "STATUS", "CHECK", "FOUND"), rows)
    return lines + [line for note in report["notes"] for line in ("", f"Note: {note}")]
