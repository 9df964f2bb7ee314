# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""The image store's settings of Docker Trusted Registry. A change of the store erases all tags unless the server is told to keep them.

Sources: DTR release notes (2.6.4: tags erased; 2.6.6: keep_metadata), DTR docs on migrating the storage backend.
"""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import HIDDEN, InputError

ADDRESS = ("admin", "settings", "registry")
SECRET = ("key", "secret", "password", "credential", "token")   # parts of the names of settings that hold secrets
KEEPS_METADATA = (2, 6, 6)


def merged(current, declared):
    """current with the declared keys, at any depth."""
    result = dict(current)
    for name, value in declared.items():
        old = current.get(name)
        result[name] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def leaves(tree, at=""):
    """{"s3.bucket": value} of a nested dictionary."""
    found = {}
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found.update(leaves(value, f"{at}{name}."))
        else:
            found[at + name] = value
    return found


def is_secret(name):
    """Whether the setting "s3.secretkey" holds a secret."""
    return any(part in name.rpartition(".")[2].lower() for part in SECRET)


def differences(current, wanted):
    """{name: (before, after)} of the settings that differ, secrets hidden."""
    before, after = leaves(current), leaves(wanted)
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return {name: (HIDDEN, HIDDEN) if is_secret(name) else (before.get(name), after.get(name)) for name in names}


def secrets(params):
    """The secret values in the option storage, which as a whole is none."""
    return [str(value) for name, value in leaves(params["storage"] or {}).items() if is_secret(name) and value]


def check(changed, wanted, data_migrated, version):
    """InputError where the change would lose tags, or a secret that the server shows masked.

    changed: names of settings; wanted: the whole new settings; data_migrated: the operator's word that the image data is in the new
    place; version: such as "2.7.6".
    """
    masked = [name for name, value in leaves(wanted).items() if is_secret(name) and value and not str(value).strip("*")]
    if masked:
        raise InputError(f"storage: the registry shows {', '.join(masked)} masked and would take the mask for the value. Give them, too."
                         " Nothing was changed.")
    moved = [name for name in changed if not is_secret(name)]
    if moved and not data_migrated:
        raise InputError(
            f"storage: {', '.join(moved)} would point the registry to another store, in which the present images are missing. Copy the"
            " image data there first, with garbage collection off, and then set storage_data_migrated to true. Nothing was changed.")
    numbers = tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())
    if changed and numbers < KEEPS_METADATA:
        raise InputError(f"storage: DTR {version} cannot keep the tags when storage settings change through its API; 2.6.6 and newer can."
                         " Upgrade first. Nothing was changed.")
