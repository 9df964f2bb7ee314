# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and values as etcd's JSON gateway spells them, and the parts of its transactions."""

from __future__ import annotations

import base64
import dataclasses


@dataclasses.dataclass(frozen=True)
class KeyValue:
    """`value` is text; revisions count all changes of the whole store."""

    key: str
    value: str
    created: int
    modified: int
    lease: int


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def end_of(prefix: str) -> str:
    """The first key after all that begin with the prefix (which has to be ASCII and not empty)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def pair_of(document: dict) -> KeyValue:
    numbers = (int(document.get(name, 0)) for name in ("create_revision", "mod_revision", "lease"))
    return KeyValue(decoded(document["key"]), decoded(document.get("value", "")), *numbers)


# Parts of transactions

def putting(key: str, value: str, lease: int = 0) -> dict:
    return {"request_put": {"key": encoded(key), "value": encoded(value), "lease": str(lease)}}


def deleting(key: str, end: str = "") -> dict:
    return {"request_delete_range": {"key": encoded(key), **({"range_end": encoded(end)} if end else {})}}


def ranging(key: str, end: str = "") -> dict:
    return {"request_range": {"key": encoded(key), **({"range_end": encoded(end)} if end else {})}}


def if_created(key: str, revision: int) -> dict:
    """True while the key is the one that was made with this revision; 0: while there is none."""
    return {"key": encoded(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(revision)}


def if_modified(key: str, revision: int) -> dict:
    """True while the key was last written with this revision; 0: while there is none."""
    return {"key": encoded(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}


def if_there(key: str) -> dict:
    return {"key": encoded(key), "target": "CREATE", "result": "GREATER", "create_revision": "0"}
