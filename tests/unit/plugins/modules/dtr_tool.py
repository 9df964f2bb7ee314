# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A UCP with replicas, and a docker/dtr that works on it: what the host modules need, in memory."""

from __future__ import annotations

import contextlib
import json
from collections import namedtuple

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_replica
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import BootstrapError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_cluster_names import found_replicas, working
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.module_run import run_module

COMPONENTS = ("api", "garant", "jobrunner", "nginx", "notary-server", "notary-signer", "registry", "rethinkdb", "scanningstore")
KINDS = ("ca", "notary", "postgres", "registry", "rethink")
PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\ns3cret-key\n-----END PRIVATE KEY-----"
PASSWORD = "s3cret of the admin"
OPTIONS = {"image": "docker/dtr:2.7.6", "ucp_url": "ucp.example.com", "ucp_username": "admin", "ucp_password": PASSWORD, "ucp_ca": PEM}
Outcome = namedtuple("Outcome", "rc log output seconds")


class ModuleFailed(Exception):
    """fail_json; result: all it said."""

    def __init__(self, result):
        super().__init__(result["msg"])
        self.result = result


class World:
    """containers, volumes: UCP's listings; runs: [(command, flags, environment)] of docker/dtr; effect(world, command, flags)."""

    def __init__(self):
        self.containers, self.volumes, self.runs = [], [], []
        self.effect, self.failure, self.log = None, None, []

    def add(self, name, node, version="2.7.6", components=COMPONENTS, port=443):
        """A replica, or a part of one."""
        for component in components:
            ports = [{"PrivatePort": 443, "PublicPort": port}, {"PrivatePort": 80, "PublicPort": 80}] if component == "nginx" else []
            self.containers.append({"Names": [f"/{node}/dtr-{component}-{name}"], "Image": f"docker/dtr-{component}:{version}",
                                    "State": "running", "Ports": ports})
        self.volumes += [{"Name": f"{node}/dtr-{kind}-{name}"} for kind in KINDS]

    def remove(self, name):
        """It is gone."""
        self.containers = [one for one in self.containers if not one["Names"][0].endswith(name)]
        self.volumes = [one for one in self.volumes if not one["Name"].endswith(name)]

    def run(self, command, flags, env):
        """docker/dtr."""
        self.runs.append((command, flags, env))
        if self.failure:
            raise BootstrapError(self.failure, [{"level": "fatal", "text": self.failure}], 1)
        if self.effect:
            self.effect(self, command, flags)
        return Outcome(0, self.log, "", 1.5)


def flag(flags, name):
    """The word behind a flag."""
    return flags[flags.index(name) + 1]


@pytest.fixture
def world(monkeypatch):
    """The World in which run() takes place."""
    made = World()

    class Tool:
        def __init__(self, kind, image, **more):
            self.image = image

        def exclusive(self):
            return contextlib.nullcontext()

        def run(self, command, flags=(), env=None):
            return made.run(command, list(flags), env)

    class Ucp:
        def __init__(self, *arguments, **more):
            made.connection = arguments, more

        def replicas(self):
            return found_replicas(made.containers, made.volumes), working(made.containers)

        def close(self):
            made.closed = True

    monkeypatch.setattr(_dtr_replica, "Bootstrapper", Tool)
    monkeypatch.setattr(_dtr_replica, "Ucp", Ucp)
    monkeypatch.setattr(_dtr_replica, "Engine", lambda: None)
    return made


def run(name, check=False, **options):
    """The result of dtr_replica or dtr_cluster; ModuleFailed when it failed. No secret may stand in what it prints."""
    result = run_module(name, check, **{**OPTIONS, **options, "_ansible_diff": True})
    assert "s3cret" not in json.dumps(result), result
    if result.get("failed"):
        raise ModuleFailed(result)
    return result
