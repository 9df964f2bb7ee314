# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import io

import pytest
from standin.dtr_tool import __main__ as tool
from standin.dtr_tool import flags, parse, rules
from standin.dtr_tool.errors import Fatal, Usage
from standin.tls import Authority

ENVIRON = {"STANDIN_PRODUCT_VERSION": "2.7.6", "STANDIN_ORG": "docker"}
ALL = "install join reconfigure remove destroy backup restore upgrade emergency-repair"
# DTR docs, reference of the command line: flag, commands that take it, variable.
MATRIX = """
async-nfs                  | install reconfigure                 | ASYNC_NFS
client-cert-auth-ca        | install reconfigure                 | CLIENT_CA
debug                      | ALL                                 | DEBUG
dtr-ca                     | install reconfigure restore         | DTR_CA
dtr-cert                   | install reconfigure restore         | DTR_CERT
dtr-external-url           | install reconfigure restore         | DTR_EXTERNAL_URL
dtr-key                    | install reconfigure restore         | DTR_KEY
dtr-storage-volume         | install reconfigure restore         | DTR_STORAGE_VOLUME
dtr-use-default-storage    | restore                             | DTR_DEFAULT_STORAGE
enable-client-cert-auth    | install reconfigure                 | ENABLE_CLIENT_CERT_AUTH
enable-pprof               | install reconfigure restore         | DTR_PPROF
existing-replica-id        | join reconfigure remove backup upgrade emergency-repair | DTR_REPLICA_ID
help-extended              | ALL                                 | DTR_EXTENDED_HELP
http-proxy                 | install reconfigure restore         | DTR_HTTP_PROXY
https-proxy                | install reconfigure restore         | DTR_HTTPS_PROXY
log-host                   | install reconfigure restore         | LOG_HOST
log-level                  | install reconfigure restore         | LOG_LEVEL
log-protocol               | install reconfigure restore         | LOG_PROTOCOL
nfs-options                | install reconfigure                 | NFS_OPTIONS
nfs-storage-url            | install reconfigure restore         | NFS_STORAGE_URL
no-proxy                   | install reconfigure restore         | DTR_NO_PROXY
offline-backup             | backup                              | DTR_OFFLINE_BACKUP
overlay-subnet             | install emergency-repair            | DTR_OVERLAY_SUBNET
prune                      | emergency-repair                    | PRUNE
replica-http-port          | install join reconfigure restore    | REPLICA_HTTP_PORT
replica-https-port         | install join reconfigure restore    | REPLICA_HTTPS_PORT
replica-id                 | install join restore                | DTR_INSTALL_REPLICA_ID
replica-id                 | remove                              | DTR_REMOVE_REPLICA_ID
replica-id                 | destroy                             | DTR_DESTROY_REPLICA_ID
replica-ids                | remove                              | DTR_REMOVE_REPLICA_IDS
replica-rethinkdb-cache-mb | install join reconfigure restore    | RETHINKDB_CACHE_MB
skip-network-test          | join                                | DTR_SKIP_NETWORK_TEST
storage-migrated           | reconfigure                         | STORAGE_MIGRATED
ucp-ca                     | ALL                                 | UCP_CA
ucp-insecure-tls           | ALL                                 | UCP_INSECURE_TLS
ucp-node                   | install join restore                | UCP_NODE
ucp-password               | ALL                                 | UCP_PASSWORD
ucp-url                    | ALL                                 | UCP_URL
ucp-username               | ALL                                 | UCP_USERNAME
unsafe-join                | join                                | DTR_UNSAFE_JOIN
y                          | emergency-repair                    | YES
"""


def documented() -> dict:
    """{(command, flag): variable}"""
    rows = [[cell.strip() for cell in line.split("|")] for line in MATRIX.strip().splitlines()]
    return {(command, name): variable for name, commands, variable in rows for command in commands.replace("ALL", ALL).split()}


@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("ca"), "Some CA")
    certificate, key = authority.issue("dtr.example.com", ["dtr.example.com"])
    return {"ca": authority.pem, "certificate": certificate.decode(), "key": key.decode()}


def checked(command: str, *arguments: str, environ=None) -> dict:
    values = parse.read(command, parse.texts(command, list(arguments), environ or {}))
    rules.check(command, values)
    return values


UCP = ["--ucp-url", "ucp.example.com", "--ucp-username", "admin", "--ucp-password", "secret"]
KEEP, OTHER = "0a1b2c3d4e5f", "111111111111"


def test_flags_and_variables_are_the_documented_ones():
    assert {(command, flag.name): flag.env for command in flags.COMMANDS for flag in flags.of(command)} == documented()


@pytest.mark.parametrize("command", flags.COMMANDS)
def test_a_flag_of_another_command_is_refused_with_usage(command, capsys):
    foreign = {flag.name for flag in flags.FLAGS} - {flag.name for flag in flags.of(command)}
    assert foreign
    for name in sorted(foreign):
        assert tool.main([command, f"--{name}", "1"], ENVIRON) == 1
        shown = capsys.readouterr()
        assert f"flag provided but not defined: --{name}" in shown.err
        assert f"dtr {command} [command options]" in shown.err
        assert shown.out == ""


@pytest.mark.parametrize("command", flags.COMMANDS)
def test_help_names_every_flag_with_its_variable(command, capsys):
    assert tool.main([command, "--help"], ENVIRON) == 0
    shown = capsys.readouterr().out
    for flag in flags.of(command):
        assert f"--{flag.name}" in shown and f"[${flag.env}]" in shown


def test_the_longer_help_says_more(capsys):
    tool.main(["join", "--help"], ENVIRON)
    short = capsys.readouterr().out
    for arguments, environ in ((["join", "--help-extended"], ENVIRON), (["join", "--help"], {**ENVIRON, "DTR_EXTENDED_HELP": "true"})):
        assert tool.main(arguments, environ) == 0
        assert len(capsys.readouterr().out) > len(short)


def test_version_names_version_and_commit(capsys):
    assert tool.main(["--version"], ENVIRON) == 0
    assert "2.7.6" in capsys.readouterr().out


@pytest.mark.parametrize(("environ", "organization"), [(ENVIRON, "docker"), ({**ENVIRON, "STANDIN_ORG": "mirantis"}, "mirantis")])
def test_images_prints_a_plain_list(environ, organization, capsys):
    assert tool.main(["images"], environ) == 0
    names = capsys.readouterr().out.splitlines()
    assert len(names) == len(set(names)) == 10
    assert f"{organization}/dtr-rethink:2.7.6" in names
    assert all(name.startswith(f"{organization}/dtr") and name.endswith(":2.7.6") for name in names)


@pytest.mark.parametrize("arguments", [
    ["frobnicate"], ["dumpcerts"], ["install", "worker1"], ["install", "--ucp-url"], ["images", "--debug"],
    ["install", "-ucp-url", "x"], ["install", "--debug", "--debug"], ["upgrade", "--no-image-check"],
])
def test_a_wrong_command_line_is_refused(arguments, capsys):
    assert tool.main(arguments, ENVIRON) == 1
    assert "Incorrect Usage" in capsys.readouterr().err


def test_an_option_wins_over_its_variable_and_an_empty_variable_is_none():
    assert parse.texts("install", ["--ucp-node=w1"], {"UCP_NODE": "w2", "DTR_CA": "", "DEBUG": "1"}) == {"ucp-node": "w1", "debug": "1"}


def test_another_commands_variable_does_not_count():
    assert parse.texts("destroy", [], {"DTR_INSTALL_REPLICA_ID": KEEP, "DTR_REMOVE_REPLICA_ID": KEEP}) == {}


@pytest.mark.parametrize("spelling", [["-y"], ["--y"], ["--yes"], ["--yes=true"]])
def test_yes_has_three_spellings(spelling):
    assert checked("emergency-repair", *spelling)["y"] is True


def test_a_switch_can_be_switched_off():
    assert checked("reconfigure", "--enable-pprof=false")["enable-pprof"] is False
    assert checked("reconfigure", environ={"DTR_PPROF": "false"})["enable-pprof"] is False


@pytest.mark.parametrize(("name", "text", "value"), [
    ("ucp-url", "ucp.example.com", ("ucp.example.com", 443)), ("ucp-url", "https://ucp.example.com:8443/", ("ucp.example.com", 8443)),
    ("ucp-url", "172.30.0.1:444", ("172.30.0.1", 444)), ("dtr-external-url", "https://dtr.example.com", "dtr.example.com"),
    ("dtr-external-url", "dtr.example.com:443", "dtr.example.com"),
    ("dtr-external-url", "https://dtr.example.com:4443", "dtr.example.com:4443"),
    ("nfs-storage-url", "nfs://10.0.0.1/exports/dtr", {"host": "10.0.0.1", "path": "/exports/dtr"}),
    ("log-level", "warn", "WARN"), ("replica-rethinkdb-cache-mb", "auto", "auto"), ("replica-rethinkdb-cache-mb", "512", 512),
    ("http-proxy", "user:word@proxy.example.com:3128", "user:word@proxy.example.com:3128"), ("http-proxy", "", ""),
    ("dtr-storage-volume", "images", "images"), ("dtr-storage-volume", "/mnt/images", "/mnt/images"),
])
def test_values_are_read(name, text, value):
    assert parse.read("install", {name: text})[name] == value


@pytest.mark.parametrize(("name", "text"), [
    ("replica-id", "0A1B2C3D4E5F"), ("replica-id", "0a1b2c3d4e5"), ("replica-id", "dtr-00000001"), ("replica-https-port", "0"),
    ("replica-https-port", "65536"), ("replica-https-port", "https"), ("replica-http-port", "-1"), ("ucp-url", "http://ucp.example.com"),
    ("ucp-url", "https://ucp.example.com/manage"), ("ucp-url", "ucp.example.com:port"), ("ucp-url", "https://admin@ucp.example.com"),
    ("dtr-external-url", "http://dtr.example.com"), ("dtr-external-url", "https://dtr.example.com/v2/"), ("dtr-external-url", "dtr_1"),
    ("nfs-storage-url", "10.0.0.1:/exports"), ("nfs-storage-url", "nfs://10.0.0.1"), ("nfs-storage-url", "nfs://10.0.0.1/"),
    ("log-protocol", "tls"), ("log-level", "trace"), ("replica-rethinkdb-cache-mb", "1GB"), ("overlay-subnet", "10.0.0.1/24"),
    ("overlay-subnet", "fd00::/64"), ("dtr-ca", "/etc/ssl/ca.pem"), ("dtr-key", "key.pem"), ("ucp-ca", "ca.pem"), ("debug", "yes"),
    ("dtr-storage-volume", "images/dtr"), ("http-proxy", "ftp://proxy.example.com"),
])
def test_a_wrong_value_is_refused_by_name_of_flag_and_variable(name, text):
    variable = documented()["install", name]
    with pytest.raises(Fatal, match=rf"--{name} \(\${variable}\)"):
        parse.read("install", {name: text})


def test_a_key_is_never_repeated_in_a_message():
    with pytest.raises(Fatal) as caught:
        parse.read("install", {"dtr-key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"})
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(("command", "name"), [
    ("install", "ucp-url"), ("install", "ucp-username"), ("install", "ucp-password"), ("join", "existing-replica-id"),
    ("reconfigure", "existing-replica-id"), ("remove", "existing-replica-id"), ("remove", "replica-ids"), ("destroy", "replica-id"),
    ("backup", "existing-replica-id"), ("restore", "ucp-password"),
    ("upgrade", "existing-replica-id"), ("emergency-repair", "existing-replica-id"),
])
def test_what_is_missing_is_fatal_without_a_terminal(command, name):
    given = {flag.name: "x" for flag in flags.of(command) if flag.required and flag.name != name}
    with pytest.raises(Fatal, match=rf"--{name} or \${documented()[command, name]}"):
        parse.complete(command, given, terminal=False)


def test_the_old_name_of_replica_ids_is_enough():
    given = {"ucp-url": "x", "ucp-username": "x", "ucp-password": "x", "existing-replica-id": KEEP, "replica-id": [OTHER]}
    assert parse.complete("remove", given, terminal=False) == given


def test_a_terminal_is_asked_for_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("ucp.example.com\n"))
    monkeypatch.setattr("getpass.getpass", lambda label, stream: "secret")
    values = parse.complete("destroy", {"ucp-username": "admin", "replica-id": KEEP}, terminal=True)
    assert values == {"ucp-url": ("ucp.example.com", 443), "ucp-username": "admin", "ucp-password": "secret", "replica-id": KEEP}
    assert capsys.readouterr().err == "ucp-url (The UCP URL including domain and port): "


def test_backup_and_restore_never_ask():
    for command in ("backup", "restore"):
        with pytest.raises(Fatal, match="Missing required value"):
            parse.complete(command, {}, terminal=True)


@pytest.mark.parametrize(("command", "arguments", "message"), [
    ("restore", [], "storage flag is required"),
    ("restore", ["--dtr-use-default-storage=false"], "storage flag is required"),
    ("install", ["--dtr-storage-volume", "images", "--nfs-storage-url", "nfs://a/b"], "exclude each other"),
    ("install", ["--nfs-storage-url", ""], "only reconfigure"),
    ("install", ["--async-nfs"], "--async-nfs requires --nfs-storage-url"),
    ("reconfigure", ["--nfs-options", "rw"], "--nfs-options requires --nfs-storage-url"),
    ("reconfigure", ["--log-host", "syslog:514"], "--log-host requires --log-protocol"),
    ("install", ["--replica-http-port", "443"], "both 443"),
    ("install", ["--enable-client-cert-auth"], "requires --client-cert-auth-ca"),
    ("remove", ["--existing-replica-id", KEEP, "--replica-ids", f"{OTHER},{KEEP}"], "cannot be both"),
    ("remove", ["--replica-id", OTHER, "--replica-ids", OTHER], "old name"),
    ("join", ["--existing-replica-id", KEEP, "--replica-id", KEEP], "an ID of its own"),
])
def test_values_that_do_not_go_together_are_refused(command, arguments, message):
    with pytest.raises(Fatal, match=message):
        checked(command, *arguments)


def test_storage_can_be_taken_back_to_the_local_volume_by_reconfigure_only():
    assert checked("reconfigure", "--nfs-storage-url", "")["nfs-storage-url"] == {}


def test_several_replicas_can_be_removed_under_either_name():
    values = checked("remove", "--existing-replica-id", KEEP, "--replica-ids", f"{OTHER}, 222222222222")
    assert values["replica-ids"] == [OTHER, "222222222222"]
    assert checked("remove", environ={"DTR_REPLICA_ID": KEEP, "DTR_REMOVE_REPLICA_ID": OTHER})["replica-id"] == [OTHER]


def test_certificate_and_key_come_together_and_belong_together(pems, tmp_path):
    good = ["--dtr-ca", pems["ca"], "--dtr-cert", pems["certificate"] + pems["ca"], "--dtr-key", pems["key"]]
    assert checked("install", *good)["dtr-key"].startswith("-----BEGIN PRIVATE KEY-----")
    for wrong, message in ((good[2:4], "without --dtr-key"), (good[4:], "without --dtr-cert"), (good[:2], "the three"),
                           ([*good[:3], pems["ca"] + pems["certificate"], *good[4:]], "put DTR's own certificate first")):
        with pytest.raises(Fatal, match=message):
            checked("install", *wrong)


def test_log_lines_are_logrus_without_a_terminal(capsys):
    tool.main(["install"], ENVIRON)
    line = capsys.readouterr().err.strip()
    assert line.startswith('time="') and " level=fatal msg=\"Missing required value" in line
    datetime.datetime.strptime(line.split('"')[1], "%Y-%m-%dT%H:%M:%SZ")


def test_usage_errors_are_their_own_kind():
    with pytest.raises(Usage):
        parse.split("images", ["--ucp-url", "x"])
