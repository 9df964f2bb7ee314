# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What a registry service is to be: the options of the module that looks and of the module that acts."""

from __future__ import annotations

_TEXT = {"type": "str", "default": ""}

SERVICE_OPTIONS = {
    "service": {"type": "str", "default": "distribution"},
    "user": {"type": "str", "default": "distribution"},
    "group": {"type": "str", "default": "distribution"},
    "config": {"type": "str", "required": True, "no_log": True},
    "config_path": {"type": "path", "default": "/etc/distribution/config.yml"},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "http_secret_path": {"type": "path", "default": "/etc/distribution/http_secret", "no_log": False},
    "htpasswd_path": {"type": "path", "default": "/etc/distribution/htpasswd", "no_log": False},
    "unit": {"type": "str", "required": True},
    "executable": _TEXT,
    "link": _TEXT,
    "link_target": _TEXT,
    "container_image": _TEXT,
    "store": _TEXT,
    "watched": {"type": "list", "elements": "path", "default": []},
    "health": {
        "type": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 5000},
            "name": _TEXT,
            "prefix": {"type": "str", "default": "/"},
            "tls": {"type": "bool", "default": True},
            "certificate": _TEXT,
            "mutual_tls": {"type": "bool", "default": False},
            "expected": {"type": "int", "default": 401},
            "debug": _TEXT,
        },
    },
}
