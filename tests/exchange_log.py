# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules and stand-in said to each other during the unit tests, kept for the contract tests.

Of exchanges that look alike (same operation, status and types of values) one is kept.
"""

from __future__ import annotations

import hashlib
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ("lab/standin", "plugins/module_utils", "plugins/modules", "tests/unit/plugins/modules/api", "tests/unit/lab")
FILE = ROOT / ".pytest_cache/exchanges.json"
AGENT = "dockyard.trusted_registry"   # how the modules call themselves

_kept: dict[str, dict] = {}


def shape(value):
    """The value with its scalars replaced by their types."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in sorted(value.items())}
    if isinstance(value, list):
        return sorted({json.dumps(shape(entry)) for entry in value})
    return type(value).__name__


def add(exchanges) -> None:
    """Keep what is new among a stand-in's exchanges."""
    for one in exchanges:
        entry = {
            "product": one.product, "operation": one.operation, "method": one.method, "path": one.path, "query": one.query,
            "status": one.status, "request": one.request, "response": one.response, "module": one.agent.startswith(AGENT)}
        if isinstance(one.response, bytes) or not one.operation:
            continue   # files, and what the stand-in refused as no operation of the interface
        key = [entry[name] for name in ("product", "operation", "query", "status", "module")] + [shape(one.request), shape(one.response)]
        _kept.setdefault(json.dumps(key, sort_keys=True, default=str), entry)


def dump() -> str:
    """What was kept, for another process."""
    return json.dumps(_kept, default=str)


def merge(text: str) -> None:
    """Add what another process kept."""
    _kept.update(json.loads(text))


def fingerprint() -> str:
    """Of everything that could change what is said."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def save() -> None:
    """Write what was kept, with the fingerprint of the sources it stands for."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps({"of": fingerprint(), "exchanges": list(_kept.values())}, default=str))


def load() -> list[dict] | None:
    """What the last whole run of the unit tests kept; None when there was none since the sources changed."""
    if not FILE.exists():
        return None
    log = json.loads(FILE.read_text())
    return log["exchanges"] if log["of"] == fingerprint() else None
