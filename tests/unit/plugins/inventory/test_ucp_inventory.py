# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible.errors import AnsibleParserError
from ansible_collections.dockyard.trusted_registry.plugins.inventory.ucp import InventoryModule, hosts
from standin_fixture import PASSWORD, running

ROOT = pathlib.Path(__file__).resolve().parents[4]
NODES = (
    {"hostname": "m1", "role": "manager", "address": "10.1.0.1"},
    {"hostname": "w1", "role": "worker", "address": "10.1.0.2", "labels": {"zone": "a"}},
    {"hostname": "w2", "role": "worker", "address": "10.1.0.3", "labels": {"zone": "b"}, "availability": "drain"},
)
ANSIBLE = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "UCP_", "DTR_"))}


@pytest.fixture
def standin(tmp_path):
    with running(tmp_path / "standin", nodes=NODES, dtr_node="w1") as started:
        yield started


@pytest.fixture
def inventory(standin, tmp_path):
    """inventory(text, **environment): what ansible-inventory makes of a file with this text after the name of the plugin."""

    def make(text="", name="my.ucp.yml", **environment):
        file = tmp_path / name
        file.write_text(f"plugin: dockyard.trusted_registry.ucp\n{text}")
        connection = {"UCP_HOST": standin.ucp_host, "UCP_USERNAME": "admin", "UCP_PASSWORD": PASSWORD, "UCP_CA_PATH": standin.ca_file}
        settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "COLUMNS": "1000"}
        command = [f"{os.path.dirname(sys.executable)}/ansible-inventory", "-i", str(file), "--list"]
        environment = {**ANSIBLE, **settings, **connection, **environment}
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    return make


def listed(answer):
    """The inventory of an answer; the password may stand nowhere."""
    assert answer.returncode == 0, answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr
    return json.loads(answer.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))


def test_nodes_become_hosts_and_nothing_is_written(standin, inventory):
    found = listed(inventory())
    assert (found["ucp_managers"]["hosts"], found["ucp_workers"]["hosts"]) == (["m1"], ["w1", "w2"])
    assert "dtr_replicas" not in found
    w2 = found["_meta"]["hostvars"]["w2"]
    assert (w2["ansible_host"], w2["ucp_node_availability"], w2["ucp_node_labels"]["zone"]) == ("10.1.0.3", "drain", "b")
    assert w2["ucp_node_id"] in [record["ID"] for record in standin.store.all("node")]
    assert not standin.writes
    assert not standin.store.all("session")


def test_replicas_composed_groups_templates_and_a_cache(standin, inventory, tmp_path):
    text = f"""
dtr_host: {standin.dtr_host}
password: "{{{{ lookup('ansible.builtin.env', 'MY_PASSWORD') }}}}"
compose: {{ansible_user: "'admin-' ~ ucp_node_role"}}
groups: {{drained: ucp_node_availability == 'drain'}}
keyed_groups: [{{key: ucp_node_labels.zone | default('none'), prefix: zone}}]
strict: true
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: {tmp_path / "cache"}
"""
    found = listed(inventory(text, UCP_PASSWORD="wrong", MY_PASSWORD=PASSWORD))
    assert found["dtr_replicas"]["hosts"] == ["w1"]
    assert found["_meta"]["hostvars"]["w1"]["dtr_replica_id"] == standin.options.replica_id
    assert found["_meta"]["hostvars"]["m1"]["ansible_user"] == "admin-manager"
    assert [found[group]["hosts"] for group in ("drained", "zone_a", "zone_none")] == [["w2"], ["w1"], ["m1"]]
    standin.faults.add(match="* *", kind="status", status=500, times=1000)
    assert listed(inventory(text, MY_PASSWORD=PASSWORD)) == found   # from the cache, which holds no password
    assert all(PASSWORD not in file.read_text() for file in (tmp_path / "cache").iterdir())


@pytest.mark.parametrize(("text", "environment", "says"), [
    ("", {"UCP_PASSWORD": "wrong"}, "the credentials of 'admin' are not accepted"),
    ("compose: {x: no_such_variable}\nstrict: true\n", {}, "no_such_variable"),
])
def test_a_failure_ends_the_command(inventory, text, environment, says):
    answer = inventory(text, **environment)
    assert answer.returncode != 0
    assert says in answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr


class Plugin(InventoryModule):
    """The plugin with its options given."""

    def __init__(self, options):
        super().__init__()
        self.given = options

    def value(self, name):
        return self.given.get(name)


@pytest.mark.parametrize(("options", "says"), [
    ({"ca_path": "/etc/ssl/certs/ca-certificates.crt"}, "certificate is not trusted"),
    ({"host": "127.0.0.1:9"}, "no connection"),
    ({"host": "https://x/"}, "is no address"),
    ({"username": None, "password": None}, "no credentials"),
    ({"dtr_host": "127.0.0.1:9"}, "127.0.0.1:9/api/v0/meta/settings: no connection"),
    ({"dtr_password": "wrong"}, "the credentials of 'admin' are not accepted"),
])
def test_what_goes_wrong_is_told(standin, options, says):
    given = {"host": standin.ucp_host, "username": "admin", "password": PASSWORD, "ca_path": standin.ca_file, "validate_certs": True,
             "timeout": 5, "retries": 0, "dtr_host": standin.dtr_host, **options}
    with pytest.raises(AnsibleParserError, match=says):
        Plugin(given).read()
    assert not standin.store.all("session")


@pytest.mark.parametrize(("name", "mine"), [("ucp.yml", True), ("prod.ucp.yaml", True), ("hosts.yml", False), ("ucp.ini", False)])
def test_which_files_are_its_own(tmp_path, name, mine):
    (tmp_path / name).write_text("")
    assert Plugin({}).verify_file(str(tmp_path / name)) is mine


def node(name, **more):
    """A node as _ucp_facts has it."""
    return {"id": f"id-{name}", "hostname": name, "address": "10.0.0.9", "role": "worker", "availability": "active", "state": "ready",
            "leader": False, "labels": {}, "collection": "/Shared", "engine_version": "19.03", "os": "linux", **more}


def test_the_ready_one_of_two_nodes_with_one_name_counts():
    made, warnings = hosts([node("w1", id="old", state="down"), node("w1", id="new")], {})
    assert [variables["ucp_node_id"] for _name, _groups, variables in made] == ["new"]
    assert warnings == ["2 nodes are called w1: the one that is ready counts, new. Remove the others from the Swarm (docker node rm)."]


@pytest.mark.parametrize("states", [("ready", "ready"), ("down", "down")])
def test_two_nodes_with_one_name_of_which_none_can_be_told(states):
    with pytest.raises(AnsibleParserError, match="2 nodes are called w1"):
        hosts([node("w1", id=str(number), state=state) for number, state in enumerate(states)], {})


def test_a_node_with_two_replicas_and_one_without_address():
    made, warnings = hosts([node("w1", address="", state="down")], {"b": "w1", "a": "w1"})
    assert made[0][1] == ["ucp_workers", "dtr_replicas"]
    assert (made[0][2]["dtr_replica_id"], made[0][2]["ansible_host"]) == ("a", "w1")
    assert warnings == ["node w1 carries the replicas a, b; dtr_replica_id is the first of them."]


def test_a_replica_on_a_node_that_is_not_seen():
    assert hosts([], {"ffff": "gone"}) == ([], ["replica ffff is on gone, which is no node that this account sees."])
