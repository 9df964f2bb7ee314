# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Below `/_standin/`, when asked for: faults by HTTP, and what was recorded."""

from __future__ import annotations

import dataclasses
import json

from .answers import Answer
from .errors import Refused
from .routing import Route


async def _add_fault(standin, call):
    try:
        return dataclasses.asdict(standin.faults.add(**json.loads(await call.request.content.read())))
    except (TypeError, ValueError) as error:
        raise Refused(400, "INVALID_JSON", f"This is no fault: {error}") from None


def _clear_faults(standin, call):
    standin.faults.clear()


def _violations(standin, call):
    return {"violations": standin.violations, "answers": standin.answer_violations, "crashes": standin.crashes}


def _exchanges(standin, call):
    """Bodies that are no JSON, such as of a raw download, are left out."""
    shown = [dataclasses.asdict(exchange) for exchange in standin.exchanges]
    return Answer(200, [{name: None if isinstance(value, bytes) else value for name, value in exchange.items()} for exchange in shown])


def add_controls(standin) -> None:
    for front in standin.fronts.values():
        front.routes.add(Route("POST", "/_standin/faults", "none", _add_fault))
        front.routes.add(Route("DELETE", "/_standin/faults", "none", _clear_faults))
        front.routes.add(Route("GET", "/_standin/violations", "none", _violations))
        front.routes.add(Route("GET", "/_standin/exchanges", "none", _exchanges))
