# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Which certificates the own CA has to issue, and why; what then goes to the host."""

from __future__ import annotations

import posixpath

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
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
        options = {name: entry.get(name) or value for name, value in defaults.items()}
        reason = _reason(entry, issuers, now, options, rotate)
        if reason:
            plan["issue"].append(_request(entry, issuers, now, options, reason))
    if plan["issue"] and not plan["create_ca"]:
        _judge_issuing(plan, authority, issuers, now)
    return plan


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


def stored_sets(directory, requests, keys, certificates, chain):
    """The argument `sets` that puts what was just issued into the store of the CA host."""
    return [
        {
            "name": request["name"],
            "certificate": "\n".join(pem.certificate_blocks(certificate) + pem.certificate_blocks(chain)) + "\n",
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
        problems.append("certificates_ca_dir, {0}: {1}; {2}.".format(place, what, mend))

    try:
        issuers = pem.load_certificates(authority[part])
    except pem.PemError as error:
        problems.append("certificates_ca_dir, {0}: the CA's certificate {1}.".format(place, error))
        return []
    if not pem.is_ca(issuers[0]):
        say("{0} is not a CA certificate".format(pem.label(issuers[0])), "put the certificate of the issuing CA first")
    if part == "certificate" and issuers[0].subject != issuers[0].issuer:
        say(
            "the first certificate, {0}, is not a root".format(pem.label(issuers[0])),
            "keep the root in ca.pem, and the issuing CA with what is between them in issuer.pem",
        )
    return issuers


def _judge_issuing(plan, authority, issuers, now):
    place = authority.get("origins", {})
    names = ", ".join(item["name"] for item in plan["issue"])
    if not authority.get("key_present"):
        plan["problems"].append(
            "certificates_ca_dir, {0}: the CA's private key is missing and {1} must be issued ({2}); bring the key back, "
            "or move the whole directory away to begin with a new CA.".format(
                place.get("key", "ca.key"), names, plan["issue"][0]["reason"]
            )
        )
    if pem.days_left(issuers[0], now) < 1:
        plan["problems"].append(
            "certificates_ca_dir, {0}: the CA {1} ends or ended on {2:%Y-%m-%d} and {3} must be issued; rotate the CA "
            "(certificates_ca_rotation, see the role's README).".format(
                place.get("certificate", "ca.pem"), pem.label(issuers[0]), issuers[0].not_valid_after_utc, names
            )
        )


def _reason(entry, issuers, now, options, rotate):
    """Why a certificate must be issued, None when the stored one still serves."""
    if not entry.get("certificate") or not entry.get("key"):
        return "not issued yet"
    if rotate:
        return "rotation asked for"
    try:
        chain, key = pem.load_certificates(entry["certificate"]), pem.load_key(entry["key"])
    except pem.PemError as error:
        return "what is stored {0}".format(error)
    leaf = chain[0]
    if pem.public_bytes(leaf) != pem.public_bytes(key):
        return "stored key and certificate do not belong together"
    if not issuers or not pem.issued_by(leaf, issuers[0]):
        return "issued by another CA ({0})".format(leaf.issuer.rfc4514_string())
    held, names = set(pem.alternative_names(leaf)), {pem.normal_name(str(name)) for name in entry["names"]}
    if held != names:
        changes = ["+" + name for name in sorted(names - held)] + ["-" + name for name in sorted(held - names)]
        return "names changed ({0})".format(" ".join(changes))
    if pem.key_kind(key) != options["key_type"]:
        return "key type {0} instead of {1}".format(pem.key_kind(key), options["key_type"])
    days = pem.days_left(leaf, now)
    # A certificate never outlives its CA: near the CA's end a new one would be as short, and be issued at every run.
    if days < options["renew_before_days"] and pem.days_left(issuers[0], now) > days:
        return "{0} days left, renewed below {1}".format(days, options["renew_before_days"])
    return None


def _request(entry, issuers, now, options, reason):
    names = []
    for name in entry["names"]:
        if pem.normal_name(str(name)) not in names:
            names.append(pem.normal_name(str(name)))
    not_after = "+{0}d".format(options["validity_days"])
    if issuers and pem.days_left(issuers[0], now) < options["validity_days"]:
        not_after = "{0:%Y%m%d%H%M%SZ}".format(issuers[0].not_valid_after_utc)
    return {
        "name": entry["name"],
        "reason": reason,
        "common_name": names[0] if len(names[0]) <= _COMMON_NAME_MAX else entry["name"],
        "subject_alt_name": [("IP:" if pem.is_address(name) else "DNS:") + name for name in names],
        "key_type": options["key_type"],
        "not_after": not_after,
    }
