# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What policies and webhooks have in common: they have no name of their own, only an id that the server gives."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

REPOSITORY = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*/[a-z0-9]+([._-]+[a-z0-9]+)*")


def check_repository(name, where):
    """InputError unless the name is namespace/name; where: what names it, for the error."""
    if not REPOSITORY.fullmatch(name):
        raise InputError(f"{where}: '{name}' is no repository. Give namespace/name in lower case, such as ops/base.")


def scope(client, declared, asked):
    """Repositories whose policies are looked at, sorted.

    declared: names that the declared items stand for; asked: the option repositories, where "*" is every one that the account can see.
    """
    names = {*declared, *(asked or [])}
    for name in names - {"*"}:
        check_repository(name, "repositories")
    if "*" in names:
        names.remove("*")
        names.update(f"{record['namespace']}/{record['name']}" for record in client.pages("repositories", key="repositories"))
    return sorted(names)


def keyed(records, key_of, declared, order=lambda record: record["id"]):
    """{key: [record, ...]} of what the server has, in that order.

    The server takes the same one twice. The first has the key, the others are other items, which nobody declared; under a key that is
    declared absent stand all of them, so that all of them go.
    """
    found = {}
    for record in sorted(records, key=order):
        found.setdefault(key_of(record), []).append(record)
    result = {}
    for key, same in found.items():
        if key in declared and declared[key]["state"] == "absent":
            result[key] = same
        else:
            result.update((key if number == 1 else f"{key} (duplicate {number})", [record]) for number, record in enumerate(same, 1))
    return result


def pem(text):
    """A certificate as it is compared: without space around it, None where it is not declared."""
    if text is None:
        return None
    return text.strip() + "\n" if text.strip() else ""


def check_certificate(text, where):
    """InputError unless the text is empty or holds certificates and nothing secret."""
    if text and text.strip() and ("BEGIN CERTIFICATE" not in text or "PRIVATE KEY" in text):
        raise InputError(f"{where} has to be the text of a certificate, PEM, without a key. The lookup ansible.builtin.file reads a file.")


def shown_endpoint(url):
    """The endpoint of a webhook without user, password, query and fragment, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
