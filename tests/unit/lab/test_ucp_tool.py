# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest
from standin import product_images, ucp_config_schema
from standin.dtr_tool.errors import Fatal, Usage
from standin.engine.client import EngineError
from standin.ucp_tool import __main__ as tool
from standin.ucp_tool import flags, parse, preconditions
from standin.ucp_tool import run as runs
from standin.ucp_tool.commands import backup, restore, uninstall_ucp, upgrade

ENVIRON = {"STANDIN_PRODUCT_VERSION": "3.2.5", "STANDIN_ORG": "docker"}
# UCP docs, reference of the command line: option -> commands that take it.
MATRIX = """
admin-password admin-username                | install upgrade
azure-ip-count binpack cloud-provider cni-installer-url controller-port | install
data-path-addr                               | install restore
disable-tracking disable-usage dns dns-opt dns-search enable-profiling existing-config external-server-cert | install
external-service-lb force-insecure-tcp iscsiadm-path iscsidb-path kube-apiserver-port kv-snapshot-count kv-timeout license | install
nodeport-range pod-cidr preserve-certs random service-cluster-ip-range skip-cloud-provider-check | install
storage-expt-enabled storage-iscsi swarm-experimental swarm-port unmanaged-cni secure-overlay | install
force-minimums                               | install restore upgrade
host-address                                 | install restore upgrade
interactive                                  | install backup restore uninstall-ucp upgrade
pull registry-username registry-password     | install images uninstall-ucp upgrade
san swarm-grpc-port unlock-key               | install restore
list enable-windows                          | images
listen-address                               | port-check-server
file include-logs no-passphrase              | backup
passphrase                                   | backup restore
force                                        | restore
id                                           | uninstall-ucp upgrade
purge-config                                 | uninstall-ucp
manual-worker-upgrade                        | upgrade
ca cluster                                   | dump-certs
loglines                                     | support
debug                                        | install images backup restore upgrade uninstall-ucp dump-certs id support port-check-server
jsonlog                                      | install images backup restore upgrade uninstall-ucp dump-certs id support
"""


def matrix():
    for line in MATRIX.strip().splitlines():
        names, commands = line.split("|")
        for name in names.split():
            yield name, set(commands.split())


def test_every_command_takes_what_the_documents_give_it():
    assert {flag.name: set(flag.commands) for flag in flags.FLAGS} == dict(matrix())


@pytest.mark.parametrize("command", flags.COMMANDS)
def test_what_a_command_does_not_take_is_refused(command):
    others = {flag.name for flag in flags.FLAGS} - {flag.name for flag in flags.of(command)}
    for name in others:
        with pytest.raises(Usage, match=f"not defined: --{name}$"):
            parse.values(command, [f"--{name}", "1"], {})


@pytest.mark.parametrize("arguments, message", [
    (["--license"], "needs an argument: --license"),
    (["license.lic"], "unexpected argument 'license.lic'"),
    (["--host-address", "eth0", "--host-address", "eth1"], "given twice"),
])
def test_wrong_command_lines_are_refused(arguments, message):
    with pytest.raises(Usage, match=message):
        parse.values("install", arguments, {})


@pytest.mark.parametrize("arguments, environ, message", [
    (["--controller-port", "0"], {}, "--controller-port.*no port"),
    (["--pull", "sometimes"], {}, "--pull.*none of always, missing, never"),
    (["--san", "https://ucp.example.com"], {}, "--san.*neither a host name nor an address"),
    ([], {"UCP_HOSTNAMES": "a.example.com,b c"}, r"--san \(\$UCP_HOSTNAMES\)"),
    (["--debug=perhaps"], {}, "neither true nor false"),
])
def test_wrong_values_are_refused_by_name(arguments, environ, message):
    with pytest.raises(Fatal, match=message):
        parse.values("install", arguments, environ)


def test_values_come_from_options_then_variables_then_defaults():
    environ = {"UCP_ADMIN_USER": "root", "UCP_ADMIN_PASSWORD": "from-env", "UCP_HOSTNAMES": "a.example.com,10.0.0.9"}
    values = parse.values("install", ["--admin-username", "admin", "-D"], environ)
    assert (values["admin-username"], values["admin-password"]) == ("admin", "from-env")
    assert (values["san"], values["debug"]) == (["a.example.com", "10.0.0.9"], True)
    assert (values["controller-port"], values["pull"]) == (443, "missing")
    assert parse.values("install", ["--san", "x", "--san", "y"], environ)["san"] == ["x", "y"]
    assert parse.values("upgrade", [], environ)["admin-password"] == "from-env"


def test_switches_that_are_on_can_be_switched_off():
    assert parse.values("backup", [], {})["include-logs"] is True
    assert parse.values("backup", ["--include-logs=false"], {})["include-logs"] is False


@pytest.mark.parametrize("command, code, where", [
    ([], 1, "out"), (["help"], 0, "out"), (["install", "--help"], 0, "out"), (["instal"], 1, "err"), (["install", "--nope"], 1, "err"),
    (["stop"], 1, "err"),
])
def test_help_and_wrong_commands(command, code, where, capsys):
    assert tool.main(command, ENVIRON) == code
    shown = capsys.readouterr()
    assert getattr(shown, where)
    if code and where == "err":
        assert not shown.out


def test_a_fatal_line_is_written_as_logrus_does(capsys):
    tool.main(["restart"], ENVIRON)
    assert 'level=fatal msg="The restart command is deprecated' in capsys.readouterr().err
    tool.main(["install", "--jsonlog", "--controller-port", "443"], {**ENVIRON, "UCP_ADMIN_USER": ""})
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["level"] == "fatal"


def test_images_are_those_of_the_archives(capsys):
    assert tool.main(["images", "--list"], ENVIRON) == 0
    assert capsys.readouterr().out.split() == product_images.names("ucp", "3.2.5", "docker")
    tool.main(["images", "--list", "--enable-windows"], {"STANDIN_PRODUCT_VERSION": "3.3.7", "STANDIN_ORG": "mirantis"})
    assert "mirantis/ucp-agent-win:3.3.7" in capsys.readouterr().out.split()


def test_the_example_configuration_is_one_that_ucp_takes(capsys):
    assert tool.main(["example-config"], ENVIRON) == 0
    document, wrong = ucp_config_schema.parse(capsys.readouterr().out)
    assert not wrong and document["cluster_config"]["controller_port"] == 443


@pytest.mark.parametrize("present, target, problem", [
    ("3.2.5", "3.3.7", ""), ("3.2.4", "3.2.5", ""), ("3.1.9", "3.2.5", ""),
    ("3.2.5", "3.2.5", "nothing to upgrade"), ("3.3.7", "3.2.5", "cannot be downgraded"), ("3.1.9", "3.3.7", "upgrade to 3.2 first"),
    ("2.2.4", "3.1.0", "upgrade to 3.0 first"),
])
def test_only_one_step_forward(present, target, problem):
    found = preconditions.path_problem(present, target)
    assert (problem in found) if problem else not found


def test_ports_are_told_as_ranges():
    assert preconditions.ranges([12378, 443, 179, 12379, 12380, 6443, 6444]) == "179, 443, 6443, 6444, 12378 - 12380"


class Given:
    """A run with these options and an engine that knows these configs."""

    def __init__(self, configs=(), **values):
        self.values = {name.replace("_", "-"): value for name, value in values.items()}
        self.engine = self
        self._configs = dict(configs)

    def __getitem__(self, flag):
        return self.values[flag]

    def named(self, _kind, name):
        text = self._configs.get(name)
        return text and {"Spec": {"Name": name, "Data": base64.b64encode(text.encode()).decode()}}


def licence(**changes):
    payload = base64.b64encode(json.dumps({"expiration": "2030-01-01T00:00:00Z"}).encode()).decode()
    signed = base64.b64encode(json.dumps({"payload": payload}).encode()).decode()
    return json.dumps({"key_id": "k", "private_key": "p", "authorization": signed, **changes})


def test_a_license_is_content_not_a_path():
    assert preconditions.license_of(Given(license=licence()))["key_id"] == "k"
    with pytest.raises(Fatal, match="content, not its path"):
        preconditions.license_of(Given(license="/root/docker_subscription.lic"))
    with pytest.raises(Fatal, match="cannot be read"):
        preconditions.license_of(Given(license=licence(authorization="AAAA")))
    with pytest.raises(Fatal, match="have to be in it"):
        preconditions.license_of(Given(license=licence(key_id="")))


def install_values(**changes):
    values = parse.values("install", [], {})
    return {name.replace("-", "_"): value for name, value in {**values, **changes}.items()}


def test_the_configuration_begins_as_the_options_say():
    values = install_values(**{"controller-port": 8443, "disable-tracking": True, "dns": ["10.0.0.2"]})
    document = preconditions.configuration(Given(**values))
    assert document["cluster_config"]["controller_port"] == 8443 and document["cluster_config"]["dns"] == ["10.0.0.2"]
    assert document["tracking_configuration"]["disable_tracking"] is True


def test_an_existing_configuration_is_demanded_and_checked():
    values = install_values(**{"existing-config": True})
    with pytest.raises(Fatal, match=r"no swarm config com\.docker\.ucp\.config"):
        preconditions.configuration(Given(**values))
    with pytest.raises(Fatal, match=r"invalid: .*section cluster_config is missing"):
        preconditions.configuration(Given({"com.docker.ucp.config": '[auth]\nbackend = "managed"\n'}, **values))


def test_upgrade_and_uninstall_want_the_id():
    for confirm, argument in ((uninstall_ucp.confirm, "abc"), (upgrade.confirm, type("S", (), {"id": "abc"})())):
        confirm(Given(id="abc", interactive=False), argument)
        with pytest.raises(Fatal, match="--id abc"):
            confirm(Given(id=None, interactive=False), argument)
        with pytest.raises(Fatal, match="xyz is not the id"):
            confirm(Given(id="xyz", interactive=False), argument)


def test_a_backup_is_encrypted_or_declared_not_to_be():
    with pytest.raises(Fatal, match="choose"):
        backup.choose_passphrase(Given(passphrase=None, no_passphrase=False))
    with pytest.raises(Fatal, match="exclude"):
        backup.choose_passphrase(Given(passphrase="x", no_passphrase=True))
    assert backup.choose_passphrase(Given(passphrase=None, no_passphrase=True)) == ""


def test_a_backup_file_lies_in_the_mounted_folder():
    for name in ("../etc/passwd", "/tmp/backup.tar", "a/b.tar"):
        with pytest.raises(Fatal, match="directly in /backup"):
            backup.file_target(Given(file=name, interactive=False))
    with pytest.raises(Fatal, match="no folder is mounted at /backup"):
        backup.file_target(Given(file="/backup/ucp.tar", interactive=False))


@pytest.mark.parametrize("version, force, fits", [
    ("3.2.5", False, True), ("3.2.4", False, True), ("3.3.7", True, True),
    ("3.2.6", False, False), ("3.1.9", False, False), ("3.3.7", False, False),
])
def test_restore_wants_a_backup_of_its_own_version(version, force, fits):
    run = Given(force=force)
    run.product = type("Product", (), {"version": "3.2.5"})()
    if fits:
        restore.check_version(run, version)
        return
    with pytest.raises(Fatal, match=f"backup is of UCP {version}"):
        restore.check_version(run, version)


def test_an_encrypted_backup_comes_back_with_its_passphrase_alone():
    closed = backup.encrypted(b"content", "secret12chars")
    assert b"content" not in closed
    assert backup.gpg(["--decrypt"], "secret12chars", closed) == b"content"
    for passphrase, data in (("other", closed), ("secret12chars", closed[:-20])):
        with pytest.raises(Fatal, match="passphrase is wrong, or the backup is damaged"):
            backup.gpg(["--decrypt"], passphrase, data)


def test_restore_refuses_what_is_no_backup():
    with pytest.raises(Fatal, match="needs --passphrase"):
        restore.unpack(Given(passphrase=None), b"\x8c\x0d\x04" * 400)
    with pytest.raises(Fatal, match=r"ca\.pem.* missing"):
        restore.unpack(Given(passphrase=None), backup.packed({"other": b"1"}))


class Around:
    """The engine as the tool's own container sees it."""

    def __init__(self, name="", problem=None):
        self.name, self.problem = name, problem

    def get(self, _path, raw=False):
        if self.problem:
            raise self.problem
        return b"OK"

    def container(self, _identity):
        return {"Name": f"/{self.name}"}


@pytest.mark.parametrize(("around", "message"), [
    (Around(problem=EngineError(0, "permission denied")), "security-opt label=disable"),
    (Around("bold_curie"), "'bold_curie': run the tool with --name ucp"),
])
def test_the_socket_and_the_name_are_demanded(monkeypatch, around, message):
    monkeypatch.setattr(runs, "Engine", lambda: around)
    monkeypatch.setattr(runs, "_own_container", lambda: "me")
    with pytest.raises(Fatal, match=message):
        _found = runs.Run("install", {}, ENVIRON, None).engine
