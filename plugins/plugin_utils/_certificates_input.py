# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Is certificates_list itself in order? Asked before a file is read or a certificate is issued."""

from __future__ import annotations

import posixpath
import re

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_check import where

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_KEY_MODES = ("0400", "0440", "0600", "0640")
_PARTS = ("certificate", "key", "chain", "ca", "key_passphrase")


def list_problems(entries):
    """What is wrong with the list as a whole: names that occur twice, files that two entries claim."""
    found, seen, owners = [], set(), {}
    for entry in entries:
        name = entry.get("name")
        if name in seen:
            found.append(f"{where(entry)}: the name occurs twice; give each entry a name of its own.")
        seen.add(name)
        for path in sorted(set(deploy_paths(entry).values())):
            if path in owners and owners[path] != name:
                found.append(
                    f'{where(entry)}: {path} is also deployed by entry "{owners[path]}"; give each its own file.'
                )
            owners[path] = name
    return found


def entry_problems(entry):
    """What is wrong with one entry, without looking into any certificate; `errors` are those of reading its files."""
    found = []

    def say(what, mend):
        found.append(f"{where(entry)}: {what}; {mend}.")

    if not _NAME.fullmatch(str(entry.get("name", ""))):
        say("the name becomes a file name", "use up to 64 letters, digits, dots, dashes and underscores")
    found += [f"{where(entry)}: {error}." for error in entry.get("errors") or []]
    if not entry.get("names"):
        say("`names` is empty", "list the host names and addresses by which clients reach the server")
    for name in entry.get("names") or []:
        if not _is_host(str(name)):
            say(
                f'"{name}" is neither a host name nor an address',
                "write what clients connect to, without scheme, port or path",
            )
    _judge_deploy(say, entry)
    return found


def deploy_paths(entry):
    deploy = entry.get("deploy") or {}
    return {part: deploy[part] for part in ("certificate", "key", "ca") if deploy.get(part)}


def source_errors(entry):
    """Does the entry, as written, say where its key and certificate come from? Asked before they are read."""
    given = [part for part in _PARTS if entry.get(part) or entry.get(part + "_file")]
    if entry.get("source") == "issued":
        return ["it is issued here and yet brings {}; drop these, or set source: provided".format(", ".join(given))] if given else []
    found = [
        f"both {part} and {part}_file are given; keep one of them"
        for part in _PARTS
        if entry.get(part) and entry.get(part + "_file")
    ]
    found += [
        f"source is provided and there is no {part}; give {part}_file, or {part} as PEM text"
        for part in ("certificate", "key")
        if part not in given
    ]
    return found


def _is_host(name):
    if pem.is_address(name):
        return True
    try:
        return bool(_HOST.fullmatch(pem.normal_name(name)))
    except UnicodeError:
        return False


def _judge_deploy(say, entry):
    paths = deploy_paths(entry)
    for part in ("certificate", "key"):
        if part not in paths:
            say(f"deploy.{part} is missing", "say where on the host the file belongs")
    for part, path in sorted(paths.items()):
        if not posixpath.isabs(path) or posixpath.normpath(path) != path:
            say(f"deploy.{part} {path} is not a plain absolute path", "write it from the root, without dots")
    if "ca" in paths and paths["ca"] in (paths.get("certificate"), paths.get("key")):
        say("deploy.ca is the file of the certificate or the key", "give the CA a file of its own")
    deploy = entry.get("deploy") or {}
    mode = str(deploy.get("mode") or "0600")
    if mode not in _KEY_MODES:
        say(
            f"deploy.mode {mode} is not for a private key",
            'write one of "{}", in quotes'.format('", "'.join(_KEY_MODES)),
        )
    elif mode.endswith("40") and not deploy.get("group"):
        say(f"deploy.mode {mode} lets a group read the key and no group is named", "set deploy.group to that of the service")
