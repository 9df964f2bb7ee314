# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restore`: UCP on this node from a backup, in its old swarm or in another one."""

from __future__ import annotations

import io
import json
import pathlib
import sys
import tarfile
import tempfile

from ...dtr_tool.errors import Fatal
from ...engine.client import packed
from ...ucp_node import certificates, layout
from ...ucp_node.layout import Settings
from .. import preconditions as checks
from . import install
from .backup import gpg

FILE = pathlib.Path("/config/backup.tar")
HELPER = "ucp-restore-volumes"


def run(run) -> None:
    info = run.info()
    refuse_existing(run, info)
    files = unpack(run, read(run))
    old, version = settings_of(files)
    check_version(run, version)
    documents = documents_of(files)
    checks.check_memory(run, info)
    missing = [name for name in run.images() if not run.engine.image(name)]
    if missing:
        raise Fatal(f"Missing required images: {', '.join(missing)}; load them on this node (docker load)")
    address = checks.host(run, run["host-address"], sorted({*checks.FIXED_PORTS, old.controller_port}))
    install.join_swarm(run, info, address)
    settings = new_settings(run, old)
    install.add_names(run, settings)
    same = settings.id == old.id
    if not same:
        run.log.warn("This is another swarm: the cluster root CA is not restored, and client bundles are not valid any more")
    authorities = restored_authorities(files) if same else fresh_authorities()
    place_web_certificate(run, files)
    run.log.info("Restoring UCP")
    install.reconcile(run, settings, authorities)
    about = documents["documents"]["cluster"]["cluster"]
    about["version"] = run.product.version
    run.admin("import", given=documents, timeout=300)
    secrets = install.publish(run, authorities)
    install.make_services(run, settings, secrets)
    run.log.info("Wait for All Nodes to be Ready")
    install.wait_for_nodes(run, run.product.version)
    run.engine.remove(install.RECONCILE)
    run.log.info("Successfully restored UCP")


def refuse_existing(run, info: dict) -> None:
    """UCP docs, restore: no component of UCP may be left on any node."""
    if not info["Swarm"].get("ControlAvailable") and info["Swarm"]["LocalNodeState"] != "inactive":
        raise Fatal(f"{info['Name']} is a worker of a swarm: restore UCP on one of its managers")
    left = [name for name in (layout.PROXY, *layout.MANAGER_ONLY) if run.engine.container(name)]
    installed = info["Swarm"].get("ControlAvailable") and run.service()
    if installed or left:
        raise Fatal("UCP's components are still in this swarm: run `uninstall-ucp` first")


def read(run) -> bytes:
    if run["interactive"]:
        if not FILE.exists():
            raise Fatal(f"there is no {FILE}: mount the backup there, or send it to stdin without --interactive")
        return FILE.read_bytes()
    if sys.stdin.isatty():
        raise Fatal("the backup has to come on stdin: run with -i, without -t, and < backup.tar")
    data = sys.stdin.buffer.read()
    if not data:
        raise Fatal("nothing came on stdin: run with -i and < backup.tar")
    return data


def unpack(run, data: bytes) -> dict[str, bytes]:
    """Files by name, without ./; decrypted where a passphrase is given."""
    if run["passphrase"]:
        data = gpg(["--decrypt"], run["passphrase"], data)
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            files = {member.name.removeprefix("./"): archive.extractfile(member).read() for member in archive if member.isfile()}
    except (tarfile.TarError, EOFError) as problem:
        hint = "" if run["passphrase"] else "; an encrypted one needs --passphrase"
        raise Fatal(f"this is no complete backup of UCP: {problem}{hint}") from None
    needed = [f"{layout.CLIENT_CA}/ca.pem", f"{layout.CLUSTER_CA}/ca.pem", f"{layout.WEB_CERTS}/key.pem", f"{layout.API}.json"]
    if missing := [name for name in needed if name not in files]:
        raise Fatal(f"this is no complete backup of UCP: {', '.join(missing)} missing")
    return files


def settings_of(files: dict) -> tuple[Settings, str]:
    """What UCP was installed with, and its version."""
    config = json.loads(files[f"{layout.API}.json"])["Config"]
    text = next(line.partition("=")[2] for line in config["Env"] if line.startswith(f"{layout.SETTINGS}="))
    return Settings.of(text), config["Labels"][layout.VERSION_LABEL]


def check_version(run, version: str) -> None:
    """Of the same x.y, and no older one (UCP docs, restore; --force goes over it)."""
    old, own = checks.numbers(version), checks.numbers(run.product.version)
    if (own[:2] != old[:2] or own < old) and not run["force"]:
        raise Fatal(f"the backup is of UCP {version}, this is {run.product.version}: use the image of {version}, or --force")


def documents_of(files: dict) -> dict:
    name = next((name for name in files if name.startswith("ucp-backup/") and name.endswith("/auth-store.tar.gz")), None)
    if not name:
        raise Fatal("this is no complete backup of UCP: ucp-backup/.../auth-store.tar.gz missing")
    with tarfile.open(fileobj=io.BytesIO(files[name])) as archive:
        return json.load(archive.extractfile("documents.json"))


def new_settings(run, old: Settings) -> Settings:
    info = run.info()
    new = {"id": run.engine.get("/swarm")["ID"], "first": info["Swarm"]["NodeID"], "root": info["DockerRootDir"]}
    return Settings.of(json.dumps({**json.loads(old.text()), **new}))


def restored_authorities(files: dict) -> dict[str, str]:
    return {name: json.dumps({"certificate": files[f"{name}/ca.pem"].decode(), "key": files[f"{name}/ca-key.pem"].decode()})
            for name in layout.AUTHORITIES}


def fresh_authorities() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: json.dumps(certificates.new_authority(pathlib.Path(folder, name), title))
                for name, title in ((layout.CLUSTER_CA, "UCP Cluster Root CA"), (layout.CLIENT_CA, "UCP Client Root CA"))}


def place_web_certificate(run, files: dict) -> None:
    """As it was; it is not made anew (UCP docs, restore)."""
    own = {name: files[f"{layout.WEB_CERTS}/{name}"] for name in ("ca.pem", "cert.pem", "key.pem")}
    run.engine.remove(HELPER)
    host = {"Binds": [f"{layout.WEB_CERTS}:/web"]}
    run.engine.create(HELPER, {"Image": run.product.image("ucp-agent"), "Cmd": ["true"], "HostConfig": host})
    try:
        run.engine.call("PUT", f"/containers/{HELPER}/archive", packed(own), query={"path": "/web"})
    finally:
        run.engine.remove(HELPER)
