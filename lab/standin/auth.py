# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asking: passwords, access tokens, UCP sessions and client certificates."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography import x509
from cryptography.x509.oid import NameOID

from .answers import Caller
from .errors import not_authenticated
from .tls import public_pem

COST = {"n": 2**10, "r": 8, "p": 1}   # small: basic authentication comes with each request


def hashed(password: str) -> str:
    salt = os.urandom(16)
    return f"{salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **COST).hex()}"


def matches(password: str, stored: str) -> bool:
    salt, _dollar, expected = stored.partition("$")
    return hmac.compare_digest(hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST).hex(), expected)


def token_id(token: str) -> str:
    """`hashedToken`: what is kept of an access token (DTR 2.7 API)."""
    return hashlib.sha256(token.encode()).hexdigest()


class Auth:
    """`sessions` is the service that knows bearer tokens: `sessions.account(token)` -> account name, or None."""

    def __init__(self, standin):
        self.standin = standin
        self.sessions = None
        self._verified: dict[tuple[str, str], str] = {}   # (name, digest of the password) -> the stored hash it fits

    def caller(self, request, product: str) -> Caller:
        """Nobody when there are no credentials; wrong ones are refused, also where none are needed."""
        scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic" and (product == "dtr" or request.path.startswith("/enzi/")):
            return self.of_basic(value)
        if scheme.lower() == "bearer" and product == "ucp":
            return self._active(self.sessions.account(value) if self.sessions else None, "bearer")
        if scheme:
            raise not_authenticated(f"Authorization {scheme} is not taken here.")
        return self._of_certificate(request, product) or Caller()

    def of_basic(self, value: str) -> Caller:
        """Of the value of a basic `Authorization` header: a password, or an access token in its place (DTR docs: access tokens)."""
        try:
            name, _colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise not_authenticated("The Authorization header is not base64.") from None
        return self.of_password(name, secret) or self.of_token(name, secret) or self._wrong()

    def of_password(self, name: str, password: str) -> Caller | None:
        account = self.standin.store.get("account", name)
        if not account or not account.get("password"):
            return None
        seen = (name, hashlib.sha256(password.encode()).hexdigest())
        if self._verified.get(seen) != account["password"]:
            if not matches(password, account["password"]):
                return None
            self._verified[seen] = account["password"]
        return self._active(name, "password")

    def of_token(self, name: str, token: str) -> Caller | None:
        found = self.standin.store.get("token", token_id(token))
        if not found or not found["isActive"] or found["username"] != name:
            return None
        self.standin.tokens.used(found)
        return self._active(name, "token")

    def _of_certificate(self, request, product: str) -> Caller | None:
        """The account with the certificate's key; on DTR, whose client CAs are the operator's own, also the one named as its subject.

        How DTR finds the account is not documented.
        """
        der = self.standin.client_certificate(request)
        if not der:
            return None
        certificate = x509.load_der_x509_certificate(der)
        name = self.standin.accounts.of_public_key(public_pem(certificate.public_key()))
        if not name and product == "dtr":
            name = _common_name(certificate)
        return self._active(name, "certificate")

    def _active(self, name: str | None, via: str) -> Caller:
        account = self.standin.store.get("account", name) if name else None
        if not account or not account["isActive"]:
            raise not_authenticated()
        return Caller(name, account["id"], account["isAdmin"], via)

    def _wrong(self) -> Caller:
        raise not_authenticated()


def _common_name(certificate: x509.Certificate) -> str | None:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names[0].value if names else None
