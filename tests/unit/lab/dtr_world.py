# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in memory for the commands of docker/dtr: engines, UCP and the steps of phase 2."""

from __future__ import annotations

import contextlib
import inspect
import io

from standin.dtr_tool import cluster, phase2, specs
from standin.dtr_tool.engine import Engine
from standin.dtr_tool.errors import Fatal
from standin.dtr_tool.helper import Helper
from standin.dtr_tool.log import Log
from standin.dtr_tool.product import COMPONENTS, Product
from standin.dtr_tool.session import Session
from standin.dtr_tool.ucp_client import UcpClient

FIRST, SECOND, THIRD = "0a1b2c3d4e5f", "111111111111", "222222222222"


CONFIGURATION = "[trust_configuration]\nrequire_content_trust = false\n[scheduling_configuration]\nenable_admin_ucp_scheduling = true\n"


class FakeEngine:
    """The surface of Engine; `dead`: nodes that do not answer. `done`: what was changed, in order."""

    def __init__(self):
        self.listed = [
            {"name": name, "id": name, "role": "manager" if name == "ucp-1" else "worker", "ready": True,
             "address": f"10.0.0.{number}", "memory": 16 << 30} for number, name in enumerate(("ucp-1", "dtr-1", "dtr-2", "dtr-3"), 1)
        ]
        self.here, self.specs, self.dead, self.done = [], {}, set(), []
        self.kept, self.net, self.ports, self.missing = [], {}, {}, {}

    def nodes(self):
        return [{**node, "ready": node["name"] not in self.dead} for node in self.listed]

    def containers(self):
        return [entry for entry in self.here if entry["node"] not in self.dead]

    def volumes(self):
        return [entry for entry in self.kept if entry[0] not in self.dead]

    def images_of(self, node):
        return set(Product("2.7.6", "docker").images() + Product("2.8.5", "mirantis").images()) - self.missing.get(node, set())

    def used_ports(self, node):
        return self.ports.get(node, {})

    def create(self, node, name, spec):
        assert name not in [entry["name"] for entry in self.here], f"{name} exists"
        identity = f"id{len(self.specs)}"
        self.specs[identity] = spec
        self.here.append({"id": identity, "node": node, "name": name, "labels": spec["Labels"], "state": "created"})
        for bind in spec["HostConfig"]["Binds"]:
            source = bind.split(":")[0]
            if (node, source) not in self.kept and not source.startswith("/"):
                self.kept.append((node, source))
        self.done.append(("create", name))
        return identity

    def _named(self, identity):
        return next(entry for entry in self.here if entry["id"] == identity)["name"]

    def start(self, identity):
        self.done.append(("start", self._named(identity)))

    def stop(self, identity):
        self.done.append(("stop", self._named(identity)))

    def remove(self, identity):
        self.done.append(("remove", self._named(identity)))
        self.here = [entry for entry in self.here if entry["id"] != identity]

    def inspect(self, identity):
        spec = self.specs[identity]
        return {"HostConfig": spec["HostConfig"], "Config": {"Env": spec["Env"]}}

    def create_volume(self, node, name, options):
        self.done.append(("create volume", name, options))

    def remove_volume(self, node, name):
        self.done.append(("remove volume", name))
        self.kept.remove((node, name))

    def network(self):
        return self.net

    def create_network(self, subnet):
        self.net = {"IPAM": {"Config": [{"Subnet": subnet}]}}
        self.done.append(("create network", subnet))

    def remove_network(self):
        self.net = {}
        self.done.append(("remove network",))


class FakeHelper:
    """`answers`: result of a step by its name, or a function of the step. `ran`: (node, step) of all steps."""

    def __init__(self):
        self.answers, self.ran = {}, []

    def run(self, place, steps, **_options):
        self.ran += [(place.node, step) for step in steps]
        results = [self._answer(step) for step in steps]
        return results[:1] if steps[0]["do"] == "look" and not results[0][0]["quorum"] else results

    def _answer(self, step):
        inspect.signature(phase2.STEPS[step["do"]]).bind(**{name: value for name, value in step.items() if name != "do"})
        answer = self.answers.get(step["do"])
        return answer(step) if callable(answer) else answer

    def clear(self, node):
        pass

    def did(self, name):
        return [step for _node, step in self.ran if step["do"] == name]


class FakeUcp:
    """`documents`: what UCP says at an address."""

    url = "https://ucp.example.com:443"

    def __init__(self):
        self.registered = []
        self.documents = {"/_ping": "OK", "/version": {"Version": "ucp/3.2.5"}, "/api/config/license": {"license_config": {"key_id": "K"}},
                          "/api/ucp/config-toml": CONFIGURATION}

    def call(self, verb, path, body=None):
        if path == "/_standin/dtr":
            self.registered.append(body)
            return {"service_id": "S", "store": {"endpoints": ["https://10.0.0.1:12383"], "ca": "CA", "certificate": "C", "key": "K"}}
        return self.documents[path]


def signatures(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


# A fake that lacks a method of the real one would let a command pass that cannot run.
assert signatures(FakeEngine) >= signatures(Engine) - {"wait", "put", "get", "read"}
assert signatures(FakeHelper) >= signatures(Helper)
assert signatures(FakeUcp) >= signatures(UcpClient) - {"sign_in", "open"}


class World:
    """`install` has happened `replicas` times; `run` a command on it, `log` is what it said."""

    def __init__(self, monkeypatch, version: str = "2.7.6"):
        self.product = Product(version, "docker" if version == "2.7.6" else "mirantis")
        self.engine, self.helper, self.ucp = FakeEngine(), FakeHelper(), FakeUcp()
        self.sick, self.quorum, self.extra_members = {}, True, []
        self.version = "2.7.6"
        self.metadata = {
            ("settings", "dtr"): {"dtrHost": "dtr.example.com", "httpProxy": "", "webTLSClientCA": ""}, ("tool", "storage"): {},
            ("settings", "registry"): {"storage": {"filesystem": {"rootdirectory": "/storage"}}},
            ("tls", "web"): {"certificate": "C", "key": "K", "ca": "CA"}, ("ucp", "ucp"): {"url": "U", "ca": "old", "insecure": False},
        }
        self.helper.answers = {
            "look": lambda step: self.look(), "get": lambda step: self.metadata[step["kind"], step["key"]],
            "plant": lambda step: {"ca": "CA"}, "authority": {"ca.pem": "A", "ca-key.pem": "K"},
        }
        self.known = []
        self.stream = io.StringIO()
        self.log = Log(self.stream)
        monkeypatch.setattr(Session, "connect", self._connect)

    @property
    def said(self) -> str:
        return self.stream.getvalue()

    def _connect(self, product, values, log):
        session = Session(product, values, log, ucp=self.ucp, engine=self.engine, helper=self.helper)
        session.look()
        return session

    def replica(self, identity: str, node: str, version: str = "2.7.6", components=COMPONENTS, storage=None):
        product = Product(version, "docker" if version == "2.7.6" else "mirantis")
        place = specs.Place(identity, node, next(entry["address"] for entry in self.engine.listed if entry["name"] == node))
        for component in components:
            spec = specs.container(product, place, component, storage or specs.Storage())
            self.engine.create(node, f"dtr-{component}-{identity}", spec)
        if identity not in self.known:
            self.known.append(identity)
        self.engine.net = {"IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}}
        self.engine.done.clear()

    def look(self):
        members = [{"name": f"dtr-rethinkdb-{one}", "peer": f"https://dtr-rethinkdb-{one}.dtr-ol:29015", "client": "x",
                    "healthy": one not in self.sick} for one in self.known]
        status = {"members": members + self.extra_members, "quorum": self.quorum, "replicas": {one: {} for one in self.known},
                  "version": self.version}
        return status, {one: self.sick.get(one, "") for one in self.known}

    def run(self, command, **values):
        """Values by name of the option, with underscores."""
        given = {name.replace("_", "-"): value for name, value in values.items()}
        command.run(self.product, {"ucp-password": "secret", **given}, self.log)

    def refused(self, command, **values) -> str:
        """The message; nothing may have been changed."""
        before, ran = list(self.engine.done), len(self.helper.ran)
        message = ""
        with contextlib.suppress(AssertionError):
            try:
                self.run(command, **values)
            except Fatal as problem:
                message = str(problem)
        assert message, "it was not refused"
        assert self.engine.done == before, "something was changed"
        assert {step["do"] for _node, step in self.helper.ran[ran:]} <= {"look", "get", "authority"}, "metadata were changed"
        return message

    def replicas(self):
        return cluster.replicas_of(self.engine.here)
