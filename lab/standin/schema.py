# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the reduced schemas of the interface files (see extract.py) into strict JSON schemas, and checks values against them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

from jsonschema import Draft4Validator  # swagger 2.0 builds on draft 4

Check = Callable[[object, str], list[str]]   # (value, where) -> what is wrong with it, the first few things
SHOWN = 5
DATE_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"


class Schemas:
    """The schemas of one product.

    Objects take no fields but those they name. `required` overrides the required fields of definitions (name -> set);
    `lenient_null` allows null for lists and maps, as Go writes empty ones.
    """

    def __init__(self, definitions: dict, required: dict[str, set], lenient_null: bool):
        self.reduced, self.required, self.lenient_null = definitions, required, lenient_null

    @functools.cached_property
    def definitions(self) -> dict:
        return {
            name: self.strict({**schema, "required": sorted(self.required[name])} if name in self.required else schema)
            for name, schema in self.reduced.items()
        }

    def check(self, schema: dict) -> Check:
        """Compiled at its first use: most operations are not used by a test."""
        validators: list[Draft4Validator] = []

        def complaints(value, where: str) -> list[str]:
            if not validators:
                validators.append(Draft4Validator({**self.strict(schema), "definitions": self.definitions}))
            found = itertools.islice(validators[0].iter_errors(value), SHOWN)
            return [f"{where}{_position(error.absolute_path)}: {error.message}" for error in found]

        return complaints

    def strict(self, schema: dict) -> dict:
        """The JSON schema of a reduced one."""
        if "ref" in schema:
            return {"$ref": f"#/definitions/{schema['ref']}"}
        if "allOf" in schema:
            schema = self._merged(schema["allOf"])
        small = {key: schema[key] for key in ("enum", "required") if schema.get(key)}
        kind = schema.get("type") or ("object" if "properties" in schema else None)
        if kind:
            small["type"] = [kind, "null"] if self._takes_null(schema, kind) else kind
        if schema.get("format") == "date-time":
            small["pattern"] = DATE_TIME
        if "items" in schema:
            small["items"] = self.strict(schema["items"])
        if "properties" in schema:
            small["properties"] = {name: self.strict(value) for name, value in schema["properties"].items()}
            small["additionalProperties"] = False
        if "additional" in schema:
            small["additionalProperties"] = self.strict(schema["additional"])
        return small

    def _takes_null(self, schema: dict, kind: str) -> bool:
        is_map = kind == "object" and "properties" not in schema
        return bool(schema.get("nullable") or (self.lenient_null and (kind == "array" or is_map)))

    def _merged(self, parts: list[dict]) -> dict:
        """The parts of an `allOf` as one object, or each would forbid the fields of the others."""
        whole = {"type": "object", "properties": {}, "required": []}
        for part in parts:
            own = self.reduced.get(part["ref"], {}) if "ref" in part else part
            own = self._merged(own["allOf"]) if "allOf" in own else own
            whole["properties"].update(own.get("properties", {}))
            whole["required"] += own.get("required", [])
        return whole


def _position(path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
