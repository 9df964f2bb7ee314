# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Which certificates the own CA has to issue, and why; what then goes to the host."""

from __future__ import annotations

import posixpath

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_check import where
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_input import entry_problems

_COMMON_NAME_MAX = 64  # X.520


def issuing_plan(entries, authority, now, defaults, rotate=False):
    """{issue, create_ca, problems}: pure, so that a second run and check mode ask the same question."""
    wanted = [entry for entry in entries if entry.get("source") == "issued" and not entry_problems(entry)]
    problems = []
    issuers = _issuers(authority, now, problems) if wanted and authority.get("certificate") else []
    plan = {"issue": [], "create_ca": bool(wanted) and not authority.get("certificate"), "problems": problems}
    if problems:
        return plan
    for entry in wanted:
        options = _options(entry, defaults)
        if options["validity_days"] <= options["renew_before_days"]:
            problems.append(
                f"{where(entry)}: validity_days is {options['validity_days']}, and it is renewed "
                f"{options['renew_before_days']} days before its end, so at every run; raise validity_days or lower renew_before_days."
            )
        reason = next(_reasons(entry, issuers, now, options, rotate), None)
        if reason:
            plan["issue"].append(_request(entry, issuers, now, options, reason))
    if plan["issue"] and not plan["create_ca"] and not problems:
        _judge_issuing(plan, authority, issuers, now)
    return plan


def _options(entry, defaults):
    options = {name: type(value)(entry.get(name) or value) for name, value in defaults.items()}
    # What is too short to be deployed has to be renewed before it gets so short.
    options["renew_before_days"] = max(options["renew_before_days"], options.pop("minimum_days"))
    return options


def deployable(entries, pending=()):
    """The argument `sets` of the module certificate_files; entries that check mode could not issue are left out."""
    sets = []
    for entry in entries:
        if entry["name"] in pending:
            continue
        deploy = entry["deploy"]
        blocks = pem.certificate_blocks(entry["certificate"]) + pem.certificate_blocks(entry.get("chain") or "")
        one = {
            "name": entry["name"],
            "certificate": "\n".join(blocks) + "\n",
            "certificate_path": deploy["certificate"],
            "key": pem.plain_key(entry["key"], entry.get("key_passphrase")),
            "key_path": deploy["key"],
            "key_mode": str(deploy.get("mode") or "0600"),
            "services": entry.get("services") or [],
            "owner": deploy.get("owner") or "root",
            "group": deploy.get("group") or "root",
        }
        if deploy.get("ca") and entry.get("ca"):
            one.update(ca="\n".join(pem.certificate_blocks(entry["ca"])) + "\n", ca_path=deploy["ca"])
        sets.append(one)
    return sets


def stored_sets(directory, requests, keys, certificates):
    """The argument `sets` that puts what was just issued into the store of the CA host; the chain stays with the CA."""
    return [
        {
            "name": request["name"],
            "certificate": certificate,
            "certificate_path": posixpath.join(directory, request["name"], "certificate.pem"),
            "key": key,
            "key_path": posixpath.join(directory, request["name"], "key.pem"),
        }
        for request, key, certificate in zip(requests, keys, certificates)
    ]


def _issuers(authority, now, problems):
    """The issuing CA's certificate first, whatever may be above it behind."""
    part = "issuer" if authority.get("issuer") else "certificate"
    place = authority.get("origins", {}).get(part, part)

    def say(what, mend):
        problems.append(f"certificates_ca_dir, {place}: {what}; {mend}.")

    try:
        issuers = pem.load_certificates(authority[part])
    except pem.PemError as error:
        problems.append(f"certificates_ca_dir, {place}: the CA's certificate {error}.")
        return []
    if not pem.is_ca(issuers[0]):
        say(f"{pem.label(issuers[0])} is not a CA certificate", "put the certificate of the issuing CA first")
    if part == "certificate" and issuers[0].subject != issuers[0].issuer:
        say(
            f"the first certificate, {pem.label(issuers[0])}, is not a root",
            "keep the root in ca.pem, and the issuing CA with what is between them in issuer.pem",
        )
    return issuers


def _judge_issuing(plan, authority, issuers, now):
    place = authority.get("origins", {})
    names = ", ".join(item["name"] for item in plan["issue"])
    if not authority.get("key_present"):
        plan["problems"].append(
            "certificates_ca_dir, {}: the CA's private key is missing and {} must be issued ({}); bring the key back, "
            "or move the whole directory away to begin with a new CA.".format(
                place.get("key", "ca.key"), names, plan["issue"][0]["reason"]
            )
        )
    if pem.days_left(issuers[0], now) < 1:
        plan["problems"].append(
            "certificates_ca_dir, {}: the CA {} ends or ended on {:%Y-%m-%d} and {} must be issued; rotate the CA "
            "(certificates_ca_rotation, see the role's README).".format(
                place.get("certificate", "ca.pem"), pem.label(issuers[0]), issuers[0].not_valid_after_utc, names
            )
        )


def _reasons(entry, issuers, now, options, rotate):
    """Why a certificate must be issued; the first is said. None when the stored one still serves."""
    if not entry.get("certificate") or not entry.get("key"):
        yield "not issued yet"
        return
    if rotate:
        yield "rotation asked for"
    try:
        leaf, key = pem.load_certificates(entry["certificate"])[0], pem.load_key(entry["key"])
    except pem.PemError as error:
        yield f"what is stored {error}"
        return
    if pem.public_bytes(leaf) != pem.public_bytes(key):
        yield "stored key and certificate do not belong together"
    if not issuers or not pem.issued_by(leaf, issuers[0]):
        yield f"issued by another CA ({leaf.issuer.rfc4514_string()})"
        return
    held, names = set(pem.alternative_names(leaf)), {pem.normal_name(str(name)) for name in entry["names"]}
    if held != names:
        changes = ["+" + name for name in sorted(names - held)] + ["-" + name for name in sorted(held - names)]
        yield "names changed ({})".format(" ".join(changes))
    if pem.key_kind(key) != options["key_type"]:
        yield f"key type {pem.key_kind(key)} instead of {options['key_type']}"
    days = pem.days_left(leaf, now)
    # A certificate never outlives its CA: near the CA's end a new one would be as short, and be issued at every run.
    if days < options["renew_before_days"] and pem.days_left(issuers[0], now) > days:
        yield f"{days} days left, renewed below {options['renew_before_days']}"


def _request(entry, issuers, now, options, reason):
    names = []
    for name in entry["names"]:
        if pem.normal_name(str(name)) not in names:
            names.append(pem.normal_name(str(name)))
    not_after = "+{}d".format(options["validity_days"])
    if issuers and pem.days_left(issuers[0], now) < options["validity_days"]:
        not_after = f"{issuers[0].not_valid_after_utc:%Y%m%d%H%M%SZ}"
    return {
        "name": entry["name"],
        "reason": reason,
        "common_name": names[0] if len(names[0]) <= _COMMON_NAME_MAX else entry["name"],
        "subject_alt_name": [("IP:" if pem.is_address(name) else "DNS:") + name for name in names],
        "key_type": options["key_type"],
        "not_after": not_after,
    }
