# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role bundle decides on the controller: right bundle, enough room, one line for people."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.filter.bundle_problems import bundle_problems
from ansible_collections.dockyard.trusted_registry.plugins.filter.bundle_room import bundle_room
from ansible_collections.dockyard.trusted_registry.plugins.filter.bundle_summary import bundle_summary

MB = 1_000_000
MANIFEST = {
    "created": "2026-11-23T15:00:00Z",
    "products": {
        "ucp": {"version": "3.2.5", "tool": "docker/ucp:3.2.5", "archive": "images/u", "unpacked": 500 * MB, "images": [{}, {}]},
    },
    "files": {
        "images/u": {"size": 200 * MB},
        "collections/a-b-1.tar.gz": {"size": MB},
        "python/a.whl": {"size": MB},
        "python/b.whl": {"size": MB},
        "python/requirements.txt": {"size": 100},
        "manifest.json": {"size": 100},
    },
}


@pytest.mark.parametrize(
    "images,versions,problem",
    [
        (["ucp"], {"ucp": "3.2.5", "dtr": ""}, None),
        (["ucp"], {"ucp": "", "dtr": "2.7.6"}, None),
        (["ucp", "dtr"], {"ucp": "3.2.5", "dtr": ""}, "holds no images of dtr, only ucp 3.2.5"),
        (["ucp"], {"ucp": "3.3.7", "dtr": ""}, "holds ucp 3.2.5, and ucp_version is 3.3.7"),
    ],
)
def test_the_right_bundle(images, versions, problem):
    found = bundle_problems(MANIFEST["products"], images, versions, "/srv/b.tar")
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


def host(engine, directory, shared=False):
    return {
        "engine": {"root": "/var/lib/docker", "free": engine and engine * MB},
        "directory": {"path": "/var/tmp", "free": directory * MB, "shared": shared},
    }


@pytest.mark.parametrize(
    "found,problem",
    [
        (host(1000, 200), ""),
        (host(999, 200), "/var/lib/docker has 999 MB free, and loading the images of ucp takes 1000 MB"),
        (host(1000, 199), "/var/tmp has 199 MB free, and the archive of ucp takes 200 MB; make room there, or set bundle_directory"),
        (host(1200, 1200, shared=True), ""),
        (host(1199, 1199, shared=True), "has 1199 MB free, and the archive of ucp in /var/tmp and its loading takes 1200 MB"),
        (host(None, 200), "is not on this host; do not set DOCKER_HOST"),
        ({"engine": None, "directory": {"path": "/var/tmp", "free": 0, "shared": False}}, ""),
    ],
)
def test_room(found, problem):
    assert problem in bundle_room(MANIFEST, "ucp", found)
    assert bool(problem) == bool(bundle_room(MANIFEST, "ucp", found))


def test_one_line():
    result = {"path": "/srv/b.tar", "manifest": MANIFEST, "changed": True}
    assert bundle_summary(result) == (
        "/srv/b.tar: ucp 3.2.5 (2 images), 1 collections, 2 Python packages; 203 MB, made 2026-11-23T15:00:00Z"
    )
    assert bundle_summary(result, True) == "/srv/b.tar would be made, with docker/ucp:3.2.5 and the images they list"
