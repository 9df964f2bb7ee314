# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`backup`: a tar of this manager's volumes and of UCP's store, on stdout or in a file."""

from __future__ import annotations

import base64
import datetime
import gzip
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

from ...dtr_tool.errors import Fatal
from ...engine.client import EngineError, forgiving, packed
from ...ucp_node import layout
from ..run import Run

LOCK = "ucp-backup-lock"
FOLDER = pathlib.Path("/backup")
NOBODY = 65534
HELPER = "ucp-backup-volumes"
# UCP docs, back up UCP: without ucp-node-certs. The store's own files are replaced by an export, which is of one moment.
VOLUMES = [name for name in layout.MANAGER_VOLUMES if name not in (layout.NODE_CERTS, layout.STORE_DATA)]


def run(run: Run) -> None:
    run.demand_ucp()
    passphrase = choose_passphrase(run)
    target = file_target(run)
    if target is None and sys.stdout.isatty():
        raise Fatal("a backup cannot be written to a terminal: run without -t, and send stdout to a file")
    lock(run)
    try:
        run.log.info("Backing up UCP's volumes and store")
        archive = encrypted(collect(run), passphrase)
    finally:
        unlock(run)
    if target is None:
        sys.stdout.buffer.write(archive)
        sys.stdout.buffer.flush()
    else:
        write(target, archive)
        if run["include-logs"]:
            write(target.with_name("backup.log"), encrypted(b"Backed up UCP's volumes and store\n", passphrase))
    run.log.info(f"Backup completed successfully ({len(archive)} bytes)")


def choose_passphrase(run) -> str:
    """"" for none. Neither of the two options: not documented, refused here."""
    if run["passphrase"] and run["no-passphrase"]:
        raise Fatal("--passphrase and --no-passphrase exclude each other")
    if not run["passphrase"] and not run["no-passphrase"]:
        raise Fatal("choose: --passphrase encrypts the backup, --no-passphrase leaves it readable by anybody")
    return run["passphrase"] or ""


def file_target(run) -> pathlib.Path | None:
    """A name means a file in /backup; a path has to lie there (the documents show both)."""
    if not run["file"] or run["interactive"]:
        return None
    target = FOLDER / run["file"]
    if target.parent != FOLDER:
        raise Fatal(f"--file {run['file']}: give a name, or a path directly in {FOLDER}")
    if not os.path.ismount(FOLDER):
        raise Fatal(f"--file {run['file']}: no folder is mounted at {FOLDER}; start the tool with -v /folder/on/host:{FOLDER}")
    state = FOLDER.stat()
    bits = 0o002 | (0o200 if state.st_uid == NOBODY else 0) | (0o020 if state.st_gid == NOBODY else 0)
    if not state.st_mode & bits:
        raise Fatal(f"--file {run['file']}: the folder mounted at {FOLDER} is not writable by nobody; chown it to nobody:nogroup")
    return target


def write(target: pathlib.Path, content: bytes) -> None:
    """An existing file is overwritten since 3.2.4."""
    target.touch(mode=0o600)
    target.write_bytes(content)
    os.chown(target, NOBODY, NOBODY)


def encrypted(content: bytes, passphrase: str) -> bytes:
    return content if not passphrase else gpg(["--symmetric", "--cipher-algo", "AES256", "--s2k-count", "8388608"], passphrase, content)


def gpg(words: list[str], passphrase: str, content: bytes) -> bytes:
    """The passphrase goes through a pipe of its own."""
    reading, writing = os.pipe()
    os.write(writing, passphrase.encode())
    os.close(writing)
    with tempfile.TemporaryDirectory() as home:
        command = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-options", "--pinentry-mode", "loopback",
                   "--passphrase-fd", str(reading), *words]
        done = subprocess.run(command, input=content, capture_output=True, check=False, pass_fds=(reading,), timeout=600)
    os.close(reading)
    if done.returncode:
        raise Fatal(f"the passphrase is wrong, or the backup is damaged ({' '.join(done.stderr.decode(errors='replace').split())})")
    return done.stdout


# One at a time

def lock(run) -> None:
    """A config of the swarm, which only one can make. One of this very host is left from a killed run: there is one container named ucp."""
    own = run.info()["Swarm"]["NodeID"]
    present = run.engine.named("configs", LOCK)
    if present and base64.b64decode(present["Spec"]["Data"]).decode() == own:
        run.engine.delete(f"/configs/{present['ID']}")
    try:
        run.engine.post("/configs/create", {"Name": LOCK, "Data": base64.b64encode(own.encode()).decode()})
    except EngineError as problem:
        if problem.status != 409:
            raise
        raise Fatal(
            f"another backup is running on node {base64.b64decode(present['Spec']['Data']).decode() if present else '?'}: "
            f"wait for it; if it was killed, `docker config rm {LOCK}`") from None


def unlock(run) -> None:
    if present := run.engine.named("configs", LOCK):
        with forgiving(404):
            run.engine.delete(f"/configs/{present['ID']}")


# What is in it

def collect(run) -> bytes:
    documents = exported(run)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for member, content in volumes(run):
            archive.addfile(member, content)
        add_folder(archive, f"./{layout.STORE_DATA}")
        for name in (layout.PROXY, *layout.MANAGER_ONLY):
            add(archive, f"./{name}.json", json.dumps(run.engine.container(name), indent=1).encode())
        add_folder(archive, "./ucp-backup")
        add_folder(archive, f"./ucp-backup/{stamp}")
        add(archive, f"./ucp-backup/{stamp}/auth-store.tar.gz", compressed({"documents.json": json.dumps(documents).encode()}))
    return made.getvalue()


def exported(run) -> dict:
    code, output = run.engine.execute(layout.STORE, [*layout.STORE_ADMIN, "export"], timeout=120)
    if code:
        raise Fatal(f"UCP's store cannot be read: {output.strip()}")
    return json.loads(output)


def volumes(run):
    """(entry, content) of everything in the volumes, named ./VOLUME/..."""
    run.engine.remove(HELPER)
    binds = [f"{name}:/v/{name}:ro" for name in VOLUMES]
    run.engine.create(HELPER, {"Image": run.product.image("ucp-agent"), "Cmd": ["true"], "HostConfig": {"Binds": binds}})
    try:
        for name in VOLUMES:
            data = run.engine.get(f"/containers/{HELPER}/archive", query={"path": f"/v/{name}"}, raw=True, timeout=120)
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    member.name = f"./{member.name}"
                    yield member, archive.extractfile(member) if member.isfile() else None
    finally:
        run.engine.remove(HELPER)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(content))


def add_folder(archive: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o700, int(time.time())
    archive.addfile(entry)


def compressed(files: dict[str, bytes]) -> bytes:
    return gzip.compress(packed(files))
