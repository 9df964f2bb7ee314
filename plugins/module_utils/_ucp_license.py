# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""License files and what can be told of them. Form and endpoint are field observations: the documents know the web page only."""

from __future__ import annotations

import base64
import binascii
import datetime
import json

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

ADDRESS = ("api", "config", "license")
PARTS = ("key_id", "private_key", "authorization")


def read(text):
    """The license of a file's text; InputError when it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    missing = [name for name in PARTS if not (isinstance(found, dict) and isinstance(found.get(name), str) and found[name])]
    if missing:
        raise InputError(f"the license is no license file: {', '.join(missing)} missing. Give the content of docker_subscription.lic as it"
                         " was downloaded, which is JSON.")
    return found


def terms(found):
    """What the authorization of a license says, {} when it cannot be read: base64 of a JSON signature, its payload base64 of JSON again."""
    try:
        signed = json.loads(decoded(found["authorization"]))
        payload = json.loads(decoded(signed["payload"]))
    except (binascii.Error, KeyError, TypeError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def decoded(text):
    """Bytes of base64, padded or not, of either alphabet."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)


def shown(found, auto_refresh=None, now=None):
    """{key_id, expires_at, days_left, tier, max_engines, auto_refresh} of a license, its secret parts left out; None when there is none.

    What the server does not tell is None. now: aware datetime, for tests.
    """
    if not found or not found.get("key_id"):
        return None
    said = terms(found)
    return {
        "key_id": found["key_id"], "expires_at": said.get("expiration"), "days_left": days_left(said.get("expiration"), now),
        "tier": said.get("tier"), "max_engines": said.get("maxEngines"), "auto_refresh": auto_refresh,
    }


def days_left(expires_at, now=None):
    """Whole days until a time like 2027-03-24T00:00:00Z, negative after it; None when it is not known."""
    try:
        end = datetime.datetime.strptime(str(expires_at)[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return (end - (now or datetime.datetime.now(datetime.timezone.utc))).days


def differences(present, wanted):
    """Names of what differs between two of shown(); what the server does not tell counts as equal."""
    if present is None:
        return sorted(name for name, value in wanted.items() if value is not None and name != "days_left")
    return sorted(name for name, value in wanted.items()
                  if name != "days_left" and value is not None and present[name] is not None and present[name] != value)
