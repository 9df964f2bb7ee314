# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that modules and stand-in said to each other in the unit tests, held against the official interface itself."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft4Validator

DOCUMENTS = {"dtr": "dtr-2.7.json", "ucp": "ucp-3.2.json"}
# Settings are changed a few at a time; the documents do the same (DTR docs: storage backend migration), the schema marks all as required.
PARTIAL = {"forms.Settings"}


@pytest.fixture(scope="session")
def documents(contract):
    """{product: official document}."""
    return {product: json.loads((contract / "openapi" / name).read_text()) for product, name in DOCUMENTS.items()}


def changed(schema, change):
    """The schema with change(dictionary) made on each of its parts, without the ids of some definitions, which would move references."""
    if isinstance(schema, list):
        return [changed(entry, change) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return change({name: changed(entry, change) for name, entry in schema.items() if not (name == "id" and isinstance(entry, str))})


def nullable(schema):
    """Allows null for lists and maps in answers: Go encodes empty ones so, and the documents' samples show it."""
    if schema.get("type") in ("array", "object") and "properties" not in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def strict(schema):
    """Forbids the fields that are not named."""
    if isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    return schema


def validator(document, schema, change):
    """A validator of one schema of a document; change: nullable or strict."""
    return Draft4Validator({"definitions": changed(document["definitions"], change), **changed(schema, change)})


def official(documents, exchange):
    """(document, operation) of an exchange in the official interface.

    (None, None) where it has none: addresses documented in prose or observed in the field, see lab/standin/interface/prose.json.
    """
    verb, path = exchange["operation"].split(" ", 1)
    product = exchange["product"]
    if path.startswith("/enzi/v0/accounts"):
        product, path = "ucp", path[len("/enzi/v0"):]
    operation = documents[product]["paths"].get(path, {}).get(verb.lower())
    return (documents[product], operation) if operation else (None, None)


def checked(documents, exchanges, of_modules):
    """[(exchange, document, operation)] of those that the official interface knows."""
    known = [(one, *official(documents, one)) for one in exchanges if one["module"] or not of_modules]
    return [entry for entry in known if entry[2]]


def complaints(check, value):
    """What a validator says, shortly."""
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in check.iter_errors(value)]


def test_requests_of_the_modules(documents, exchanges):
    wrong, seen = [], 0
    for one, document, operation in checked(documents, exchanges, of_modules=True):
        parameters = operation.get("parameters", [])
        unknown = set(one["query"]) - {entry["name"] for entry in parameters if entry["in"] == "query"}
        if unknown:
            wrong.append((one["operation"], f"query {sorted(unknown)}"))
        body = next((entry["schema"] for entry in parameters if entry["in"] == "body"), None)
        if body and one["status"] < 400:
            schema = dict(body)
            definition = schema.get("$ref", "").rpartition("/")[2]
            if definition in PARTIAL:
                schema = {name: entry for name, entry in document["definitions"][definition].items() if name != "required"}
            wrong += [(one["operation"], why) for why in complaints(validator(document, schema, strict), one["request"])]
            seen += 1
    assert wrong == []
    assert seen > 20   # the log is not empty


def test_answers_of_the_stand_in(documents, exchanges):
    wrong, seen = [], 0
    for one, document, operation in checked(documents, exchanges, of_modules=False):
        answer = operation["responses"].get(str(one["status"]))
        if answer is None:
            if one["status"] < 400 and any(status.startswith("2") for status in operation["responses"]):
                wrong.append((one["operation"], f"{one['status']} is not in the interface"))
        elif "schema" in answer and isinstance(one["response"], (dict, list)):
            wrong += [(one["operation"], why) for why in complaints(validator(document, answer["schema"], nullable), one["response"])]
            seen += 1
    assert wrong == []
    assert seen > 100
