# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduces an official interface document (swagger 2.0) to what the stand-in checks: names, types, required fields, enums.

    python -m standin.extract OPENAPI.json OUT.json
"""

from __future__ import annotations

import json
import pathlib
import sys

REFERENCE = "#/definitions/"
VERBS = ("get", "head", "post", "put", "patch", "delete")


def reduce_schema(schema) -> dict:
    """A schema without prose; a reference becomes `{"ref": name}`, parts of an `allOf` are kept as a list."""
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return {"ref": schema["$ref"].removeprefix(REFERENCE)}
    small = {key: schema[key] for key in ("type", "required", "enum") if key in schema}
    if schema.get("format") in ("date-time", "dateTime"):
        small["format"] = "date-time"
    if schema.get("x-nullable"):
        small["nullable"] = True
    if "properties" in schema:
        small["properties"] = {name: reduce_schema(value) for name, value in schema["properties"].items()}
    if "items" in schema:
        small["items"] = reduce_schema(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        small["additional"] = reduce_schema(schema["additionalProperties"])
    if "allOf" in schema:
        small["allOf"] = [reduce_schema(part) for part in schema["allOf"]]
    return small


def reduce_operation(operation: dict) -> dict:
    small = {"id": operation.get("operationId", ""), "answers": {}}
    query = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            query[parameter["name"]] = {key: parameter[key] for key in ("type", "default", "required", "enum") if key in parameter}
        elif parameter["in"] == "body":
            small["body"] = reduce_schema(parameter.get("schema"))
            small["bodyRequired"] = bool(parameter.get("required"))
        elif parameter["in"] == "formData":
            small["form"] = True
    if query:
        small["query"] = query
    for status, response in operation.get("responses", {}).items():
        if status != "default":
            small["answers"][status] = reduce_schema(response["schema"]) if "schema" in response else None
    return small


def used_definitions(operations: dict, definitions: dict) -> dict:
    """Only the definitions that an operation reaches."""
    found: dict[str, dict] = {}

    def visit(node):
        if isinstance(node, dict):
            name = node.get("ref")
            if isinstance(name, str) and name in definitions and name not in found:
                found[name] = reduce_schema(definitions[name])
                visit(found[name])
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(operations)
    return dict(sorted(found.items()))


def extract(document: dict) -> dict:
    operations = {
        f"{verb.upper()} {path}": reduce_operation(item[verb])
        for path, item in sorted(document["paths"].items())
        for verb in VERBS
        if verb in item
    }
    return {
        "title": f"{document['info'].get('title', '')} {document['info']['version']}".strip(),
        "operations": operations,
        "definitions": used_definitions(operations, document["definitions"]),
    }


def dump(extracted: dict) -> str:
    """One line for each operation and definition, so that a difference reads well."""

    def block(entries: dict) -> str:
        return ",\n".join(f"  {json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in entries.items())

    return (
        f'{{\n "title": {json.dumps(extracted["title"])},\n "operations": {{\n{block(extracted["operations"])}\n }},\n'
        f' "definitions": {{\n{block(extracted["definitions"])}\n }}\n}}\n'
    )


if __name__ == "__main__":
    source, target = sys.argv[1:]
    pathlib.Path(target).write_text(dump(extract(json.loads(pathlib.Path(source).read_text()))))
