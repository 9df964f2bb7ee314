# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Is this key, certificate and chain fit to serve these names? Every answer is a sentence: where, what, how to mend."""

from __future__ import annotations

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:
    pass  # CRYPTOGRAPHY_MISSING of _certificates_pem is asked first

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem

_CURVES = ("secp256r1", "secp384r1", "secp521r1")


def material_problems(entry, now, minimum_days):
    """Why the key and certificates of one entry must not be deployed; [] when they may be."""
    found = []
    chain = _load(found, entry, "certificate", pem.load_certificates)
    if chain and entry.get("chain"):
        chain = chain + (_load(found, entry, "chain", pem.load_certificates) or [])
    key = _load(found, entry, "key", lambda text: pem.load_key(text, entry.get("key_passphrase")))
    anchors = _load(found, entry, "ca", pem.load_certificates) if entry.get("ca") else []
    if not chain or anchors is None:
        return found

    say = _Speaker(entry, found)
    chain = _without_repeats(say, chain)
    leaf = chain[0]
    if key:
        leaf = _leaf_of_key(say, chain, key)
        if leaf is None:
            return found
    _judge_leaf(say, leaf, entry, now, minimum_days)
    ordered = _judge_order(say, leaf, chain)
    _judge_issuers(say, ordered, now, minimum_days)
    if anchors:
        _judge_anchor(say, ordered[-1], anchors, now)
    return found


def expiry_warnings(entry, now, warn_days):
    """What is good for now and ends before long; texts that cannot be read are material_problems' business."""
    found = []
    for part in ("certificate", "chain", "ca"):
        try:
            certificates = pem.load_certificates(entry.get(part) or "")
        except pem.PemError:
            continue
        for certificate in certificates:
            days = pem.days_left(certificate, now)
            if 0 <= days < warn_days:
                found.append(
                    f"{where(entry, part)}: {pem.label(certificate)} ends on {_date(certificate.not_valid_after_utc)}, in {days} days."
                )
    return found


def where(entry, part=None):
    origin = entry.get("origins", {}).get(part)
    return 'certificates_list entry "{}"'.format(entry.get("name", "?")) + (f", {origin}" if origin else "")


class _Speaker:
    """Collects sentences about one entry; says where the text came from."""

    def __init__(self, entry, found):
        self.entry, self.found = entry, found

    def __call__(self, what, mend, part="certificate"):
        self.found.append(f"{where(self.entry, part)}: {what}; {mend}.")


def _load(found, entry, part, loader):
    try:
        return loader(entry.get(part) or "")
    except pem.PemError as error:
        found.append("{}: the {} {}.".format(where(entry, part), "CA" if part == "ca" else part, error))
        return None


def _date(moment):
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _without_repeats(say, chain):
    once = []
    for certificate in chain:
        if certificate in once:
            say(f"{pem.label(certificate)} occurs twice", "give it either with the certificate or with the chain", "chain")
        else:
            once.append(certificate)
    return once


def _leaf_of_key(say, chain, key):
    mine = pem.public_bytes(key)
    for number, certificate in enumerate(chain, 1):
        if pem.public_bytes(certificate) == mine:
            if number > 1:
                say(
                    f"the key belongs to certificate {number} of the chain ({pem.label(certificate)}), not to the first",
                    "put the server's own certificate first",
                )
            return certificate
    say(
        f"the private key does not belong to the certificate {pem.label(chain[0])}",
        "give the key with which this certificate was requested, or the certificate of this key",
        "key",
    )
    return None


def _judge_leaf(say, leaf, entry, now, minimum_days):
    if pem.is_ca(leaf):
        say(
            f"{pem.label(leaf)} is a CA certificate, not a server's",
            "let the CA sign a certificate for the server and give that one",
        )
    _judge_validity(say, leaf, now, minimum_days)
    _judge_strength(say, leaf)
    _judge_usage(say, leaf)
    _judge_names(say, leaf, entry.get("names") or [])


def _judge_names(say, leaf, wanted):
    held = pem.alternative_names(leaf)
    lacking = [name for name in wanted if not any(pem.covers(pattern, name) for pattern in held)]
    if not lacking:
        return
    if held:
        what = "the certificate is for {} and does not cover {}".format(", ".join(held), ", ".join(lacking))
    else:
        what = "the certificate has no subject alternative names and so covers none of {}".format(", ".join(lacking))
    say(what, "have it issued for these names as well, or take them out of `names`")


def _judge_validity(say, certificate, now, minimum_days, part="certificate"):
    days = pem.days_left(certificate, now)
    ends = _date(certificate.not_valid_after_utc)
    subject = pem.label(certificate)
    if certificate.not_valid_before_utc > now:
        say(
            f"{subject} is not valid before {_date(certificate.not_valid_before_utc)}",
            f"wait, or check the clock of the controller (it says {_date(now)})",
            part,
        )
    if certificate.not_valid_after_utc <= now:
        say(f"{subject} expired on {ends}", "give a current one", part)
    elif days < minimum_days:
        say(
            f"{subject} ends on {ends}, in {days} days, and at least {minimum_days} are asked for",
            # Issued ones are renewed long before, unless their CA ends as well.
            "replace the CA, which ends as well (certificates_ca_rotation)"
            if say.entry.get("source") == "issued"
            else "give a newer one, or lower certificates_minimum_days",
            part,
        )


def _judge_strength(say, certificate):
    key = certificate.public_key()
    subject = pem.label(certificate)
    mend = "have a certificate issued for an RSA key of 2048 bits or more, or an ECDSA key on P-256 or P-384"
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            say(f"{subject} has an RSA key of only {key.key_size} bits", mend)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            say(f"{subject} has a key on the curve {key.curve.name}, which TLS clients do not accept", mend)
    elif pem.key_kind(key) != "ed25519":
        say(f"{subject} has a key of the kind {pem.key_kind(key)}, which TLS clients do not accept", mend)
    weak = pem.weak_digest(certificate)
    if weak and certificate.issuer != certificate.subject:
        say(f"{subject} is signed with {weak}, which clients refuse", "have it issued with SHA-256")


def _judge_usage(say, leaf):
    usage = pem.extension(leaf, x509.KeyUsage)
    by_rsa_alone = usage and usage.key_encipherment and isinstance(leaf.public_key(), rsa.RSAPublicKey)
    if usage and not usage.digital_signature and not by_rsa_alone:
        say("its keyUsage lacks digitalSignature", "have it issued for a TLS server")
    extended = pem.extension(leaf, x509.ExtendedKeyUsage)
    allowed = (x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if extended is not None and not any(usage in allowed for usage in extended):
        say("its extendedKeyUsage lacks serverAuth", "have it issued for a TLS server, not for a client or for mail")


def _judge_order(say, leaf, chain):
    """The chain from the leaf upwards as it should be; what stands otherwise is reported."""
    ordered, pool = [leaf], [certificate for certificate in chain if certificate != leaf]
    while pool:
        issuer = next((candidate for candidate in pool if pem.issued_by(ordered[-1], candidate)), None)
        if issuer is None:
            break
        ordered.append(issuer)
        pool.remove(issuer)
    for stranger in pool:
        say(
            f"{pem.label(stranger)} is not part of the chain of {pem.label(leaf)}: nothing links it to {pem.label(ordered[-1])}",
            f"remove it, or add the certificate of {ordered[-1].issuer.rfc4514_string()}",
            "chain",
        )
    if not pool and chain[0] == leaf and ordered != chain:
        say(
            "the chain is out of order",
            "put each certificate before the one that issued it: {}".format(" | ".join(map(pem.label, ordered))),
            "chain",
        )
    return ordered


def _judge_issuers(say, ordered, now, minimum_days):
    for below, issuer in enumerate(ordered[1:]):
        if not pem.is_ca(issuer):
            say(f"{pem.label(issuer)} issued another one without being a CA", "give the chain as the CA gave it", "chain")
        usage = pem.extension(issuer, x509.KeyUsage)
        if usage and not usage.key_cert_sign:
            say(f"the keyUsage of {pem.label(issuer)} lacks keyCertSign", "give the chain as the CA gave it", "chain")
        constraints = pem.extension(issuer, x509.BasicConstraints)
        if constraints and constraints.path_length is not None and constraints.path_length < below:
            say(f"{pem.label(issuer)} allows only {constraints.path_length} CAs below it", "let another CA issue it", "chain")
        _judge_validity(say, issuer, now, minimum_days, "chain")
        _judge_strength(say, issuer)


def _judge_anchor(say, top, anchors, now):
    trusted = [anchor for anchor in anchors if anchor == top or pem.issued_by(top, anchor)]
    if not trusted:
        say(
            f"the chain is not complete: it ends at {pem.label(top)}, "
            f"whose issuer {top.issuer.rfc4514_string()} is neither in the chain nor in the CA file",
            "append the certificate of that issuer to the chain, or give the CA that issued it",
            "chain",
        )
    elif not any(anchor.not_valid_before_utc <= now < anchor.not_valid_after_utc for anchor in trusted):
        say(
            f"the CA {pem.label(trusted[0])} is valid only from {_date(trusted[0].not_valid_before_utc)} "
            f"to {_date(trusted[0].not_valid_after_utc)}",
            "give the current certificate of the CA",
            "ca",
        )
