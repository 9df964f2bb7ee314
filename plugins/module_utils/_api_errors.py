# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What goes wrong between a module and an API, each told as: what, where, how to mend."""

from __future__ import annotations

import re

BUSY = (429, 502, 503, 504)   # worth another try
OWN_CERTIFICATE = re.compile("ALERT_(UNKNOWN_CA|[A-Z_]*CERTIFICATE)|KEY_VALUES_MISMATCH|PEM lib")   # it is about the client's
LOST = (502, 504)              # from something in front of the server, which may have done what was asked
DOUBT = " Whether the change was made is not known; run this again, which reads the state first."
UNREACHED = ("NewConnectionError", "NameResolutionError", "Connection refused", "Name or service not known", "No route to host")


class ApiError(Exception):
    """A request that did not succeed.

    status: HTTP status, None when there was no answer; code: the API's own code such as NO_SUCH_REPOSITORY, or "".
    """

    def __init__(self, message, status=None, code=""):
        super().__init__(message)
        self.status = status
        self.code = code


class WriteRefused(Exception):
    """A write in check mode: a mistake of this collection, stopped by the transport."""


def refusal(data):
    """(code, message) from the bodies seen in the field: {"errors": [{code, message, detail}]}, {"message"}, {"code", "message"}."""
    if isinstance(data, dict):
        first = (data.get("errors") or [data])[0] if isinstance(data.get("errors") or [data], list) else data
        if isinstance(first, dict):
            detail = first.get("detail")
            text = first.get("message") or ""
            return first.get("code") or "", f"{text} ({detail})" if detail and isinstance(detail, str) else text
    return "", ""


def of_answer(where, status, data, *, user, doubtful=False):
    """ApiError of an answer.

    where: "GET https://host/path"; status: HTTP status; data: decoded body or None; user: whose request it was; doubtful: whether the
    change may have been made all the same.
    """
    code, message = refusal(data)
    said = ": ".join(part for part in (code, message) if part)
    advice = {
        401: f"the credentials of '{user}' are not accepted. Check username and password, or whether the token is still active",
        403: f"'{user}' may not do this. Use an account with the right to it; the module's notes name the level that is needed",
        404: "there is no such object, or this version does not know the address",
        429: "too many requests, in spite of waiting between tries. Try later, or give fewer threads",
    }.get(status)
    if code.startswith("INVALID_"):   # some of these come with 404
        advice = "the server refuses what was declared"
    elif code.startswith("NO_SUCH_"):
        advice = "it has to be there first. Make it, or correct the name"
    elif code.endswith("_EXISTS"):
        advice = f"somebody else made it meanwhile, or '{user}' may not see it. Run this again, or take an account that may"
    elif advice is None and status >= 500:
        tried = "cannot answer, in spite of several tries" if status in BUSY else "failed"
        advice = f"the server {tried}. Look at the health of its replicas (/_ping) and run this again"
    text = f"{where} answered {status}{f' ({said})' if said else ''}{f': {advice}' if advice else ''}."
    return ApiError(text + DOUBT * doubtful, status, code)


def of_name(where):
    """ApiError of an address with a name that is none."""
    return ApiError(f"{where} was not sent: an empty name, '.' or '..' stands in it. Correct the name that was declared.")


def of_redirect(where, target):
    """ApiError of an answer that points elsewhere."""
    return ApiError(f"{where} redirects to {target}. Give the option host the name under which the server itself answers.", 302)


def of_other_content(where, kind):
    """ApiError of an answer that is not JSON although JSON was due."""
    return ApiError(f"{where} answered with {kind or 'no content type'} where JSON was due. Is this the server, or something before it?",
                    200)


def of_failure(where, error, timeout, changes):
    """ApiError of a request without an answer.

    error: what requests raised; timeout: seconds; changes: whether the request may have changed something.
    """
    text = str(error)
    doubt = DOUBT * changes
    if OWN_CERTIFICATE.search(text):
        return ApiError(f"{where}: the client certificate cannot be used ({reason(text)}). Give client_cert one that the server takes, and"
                        " client_key its key.")
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        return ApiError(
            f"{where}: the server's certificate is not trusted ({reason(text)}). Give ca_path the file with its CA"
            " (the server hands it out under /ca; check it before you trust it), or the name that stands in the certificate as host.")
    if "timed out" in text.lower():
        return ApiError(f"{where}: no answer within {timeout} s. Is the server overloaded, or a firewall in between?{doubt}")
    if any(sign in text for sign in UNREACHED):
        return ApiError(f"{where}: no connection ({reason(text)}). Check host and port, and that the server runs.")
    return ApiError(f"{where}: the connection broke ({reason(text)}).{doubt}")


def reason(text):
    """The last, telling part of the nested texts of requests and urllib3."""
    for mark in ("[SSL", "[X509", "[Errno", "RemoteDisconnected(", "ConnectionResetError(", "certificate verify failed",
                 "Hostname mismatch"):
        if mark in text:
            text = text.partition(mark)[2] if mark.endswith("(") else text[text.index(mark):]
            break
    return text.strip("()'\" ").split("')")[0].partition(" (_ssl.c")[0][:200]
