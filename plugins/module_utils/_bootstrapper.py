# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Runs of the vendor's bootstrappers, docker/ucp and docker/dtr, on a managed host.

Secrets reach them through the environment by name only, or in files that are mounted. A run has failed when it ends with
another code than 0 or wrote a fatal line. What it wrote comes back as [{level, text}], without the secrets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _bootstrapper_log as logs
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import SOCKET, Engine, EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_lock import LABEL, Busy, exclusive

# log: [{level, text}]; output: text of stdout, "" where it went to a file; seconds: how long it took
Outcome = namedtuple("Outcome", "rc log output seconds")

# A client bundle in the environment would send the run to another engine.
_OURS_NOT = re.compile(r"DOCKER_|COMPOSE_")
_GRACE = 15   # seconds for the client to end after its container
_OUTPUT = 16 << 20   # characters of stdout kept in memory


class BootstrapError(Exception):
    """A run failed or could not begin; one sentence, what to do included. log: [{level, text}]; rc: None when it did not end by itself."""

    def __init__(self, message, log=(), rc=None):
        super().__init__(message)
        self.log, self.rc = list(log), rc


class Bootstrapper:
    """kind: "ucp" (needs the engine's socket and the name ucp) or "dtr"; image: with its tag; pull: never, missing or always.

    timeout: seconds that a run may take; remedies: [(pattern, what to do)] for texts of failures, beside the common ones.
    DTR's runs in the host's network, where names are resolved as on the host, its hosts file included.
    """

    def __init__(self, kind, image, *, pull="never", timeout=900, remedies=(), engine=None, docker="docker"):
        self.kind, self.name, self.pull, self.timeout = kind, image, pull, timeout
        self.remedies, self.docker = [*remedies, *_REMEDIES], docker
        self.engine = engine or Engine()

    def exclusive(self, wait=None):
        """Context in which no other run of this kind goes on here. Look at the state inside of it: another run may just have changed it.

        wait: seconds for a run under way to end; default is the time limit of one.
        """
        return _Simply(exclusive(self.kind, self.engine, self.timeout if wait is None else wait))

    def present(self):
        """Whether the image is on this host."""
        return self.engine.image(self.name) is not None

    def prepare(self):
        """Have the image on this host, pulled where that is allowed."""
        if self.pull == "never" or (self.pull == "missing" and self.present()):
            if not self.present():
                raise BootstrapError(f"image {self.name} is not on {self.engine.host}, and pulling is off: bring it there (role bundle, or"
                                     " docker load), or allow pulling with pull=missing.")
            return
        problem = self._pull()
        if problem:
            raise BootstrapError(f"image {self.name} cannot be pulled on {self.engine.host} ({problem}): mend the way to the registry, or "
                                 "bring the image there (role bundle, or docker load).")

    def _pull(self):
        """Why it failed, "" when it did not."""
        try:
            done = subprocess.run([*self._client(), "pull", "--quiet", self.name], env=_environment({}), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=self.timeout, check=False)
        except subprocess.TimeoutExpired:
            return f"not done within {self.timeout} s"
        return done.stderr.strip()[-300:] or f"exit code {done.returncode}" if done.returncode else ""

    def run(self, command, flags=(), env=None, *, files=None, payload=False, stdout_path=None, stdin_path=None, timeout=None):
        """The Outcome; BootstrapError when the run failed.

        command: such as "install"; flags: arguments that are no secrets; env: {NAME: value}, secrets or not, handed over by name;
        files: {path in the container: text}, mounted read-only; payload: stdout is what was asked for and no log;
        stdout_path: file that stdout goes to, there only when the run succeeded; stdin_path: file to read from; timeout: for this run.
        """
        self.prepare()
        env, work = dict(env or {}), tempfile.mkdtemp(prefix="dockyard-", dir=_memory())
        try:
            cid = os.path.join(work, "cid")
            words = [*self._client(), "run", "--rm", "--cidfile", cid, "--label", f"{LABEL}={self.kind}", *self._mounts(files or {}, work)]
            words += ["--interactive"] if stdin_path else []
            words += ["--log-driver", "none"] if stdout_path or payload else []
            words += [part for name in sorted(env) for part in ("--env", name)]
            run = _Run([*words, self.name, command, *flags], env, logs.Scrubber([*env.values(), *(files or {}).values()]), payload)
            outcome = run.to_end(stdin_path, stdout_path, timeout or self.timeout, lambda: self._kill(cid))
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self._judge(command, outcome, timeout or self.timeout)
        if stdout_path:
            os.rename(stdout_path + ".part", stdout_path)
        return outcome

    def _client(self):
        return [self.docker, "--host", f"unix://{self.engine.socket_path}"]

    def _mounts(self, files, work):
        words = ["--name", "ucp", "--volume", f"{self.engine.socket_path}:{SOCKET}"] if self.kind == "ucp" else ["--network", "host"]
        if "name=selinux" in (self.engine.info().get("SecurityOptions") or []):
            words += ["--security-opt", "label=disable"]
        for number, (inside, text) in enumerate(sorted(files.items())):
            path = os.path.join(work, f"file{number}")
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            words += ["--volume", f"{path}:{inside}:ro"]
        return words

    def _kill(self, cid):
        """The container itself: without it, only its client would end."""
        try:
            with open(cid, encoding="utf-8") as file:
                self.engine.call("DELETE", f"/containers/{file.read().strip()}", force=True)
        except (OSError, EngineError):
            return   # it has not begun, or is over

    def _judge(self, command, outcome, limit):
        what = f"{self.name} {command} on {self.engine.host}"
        if outcome.rc is None:
            raise BootstrapError(f"{what} did not end within {limit} s and was stopped; it last said: "
                                 f"{logs.last_words(outcome.log)}. Mend that, or allow more time; the next run goes on from "
                                 "what is there.", outcome.log)
        text = logs.fatal(outcome.log)
        if outcome.rc or text:
            text = text or logs.last_words(outcome.log)
            raise BootstrapError(f"{what} failed ({text}), exit code {outcome.rc}{self._remedy(text)}", outcome.log, outcome.rc)

    def _remedy(self, text):
        return next((": "
                     f"{remedy}" for pattern, remedy in self.remedies if re.search(pattern, text, re.I)), ". See the log for what it did.")


class _Run:
    """One process of the client, its output read while it runs."""

    def __init__(self, words, env, scrub, payload):
        self.words, self.env, self.scrub, self.payload = words, env, scrub, payload
        self.log, self.output, self.wrong = [], [], []

    def to_end(self, stdin_path, stdout_path, limit, kill):
        """The Outcome, its rc None when the time limit was reached."""
        began = time.monotonic()
        part = stdout_path + ".part" if stdout_path else None
        sink = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600) if part else None
        source = os.open(stdin_path, os.O_RDONLY) if stdin_path else None
        try:
            rc = self._process(subprocess.DEVNULL if source is None else source, subprocess.PIPE if sink is None else sink, limit, kill)
            if sink is not None:
                os.fsync(sink)
        finally:
            for number in (sink, source):
                if number is not None:
                    os.close(number)
        if part and (rc or rc is None or logs.fatal(self.log)):
            os.unlink(part)
        return Outcome(rc, self.log, self.scrub("".join(self.output)), round(time.monotonic() - began, 1))

    def _process(self, source, sink, limit, kill):
        process = subprocess.Popen(self.words, env=_environment(self.env), stdin=source, stdout=sink, stderr=subprocess.PIPE)
        readers = [threading.Thread(target=self._read, args=(process.stderr, False), daemon=True)]
        if process.stdout:
            readers.append(threading.Thread(target=self._read, args=(process.stdout, self.payload), daemon=True))
        for reader in readers:
            reader.start()
        try:
            rc = process.wait(limit)
        except subprocess.TimeoutExpired:
            rc = None
            kill()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in readers:
            reader.join(_GRACE)
        return rc

    def _read(self, stream, payload):
        size = 0
        for raw in stream:
            text = raw.decode("utf-8", "replace")
            if not payload:
                line = logs.parse(self.scrub(text))
                self.log += [line] if line["text"] else []
            elif size < _OUTPUT:
                size += len(text)
                self.output.append(text)


def version_of(image):
    """The tag of an image's name, "" when it has none."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]


def refused_extra(extra, managed):
    """What is wrong with an operator's additional flags, "" when nothing is. managed: flags, "--x", that have an option of their own."""
    for word in extra:
        flag = word.partition("=")[0]
        if not re.match(r"--[a-z][a-z0-9-]*(=.*)?$", word, re.S):
            return f"extra_args: {word!r} is not written as --flag or --flag=value."
        if re.search(r"password|passphrase|unlock-key|secret|(^|-)key$", flag):
            return f"extra_args: {flag} would show a secret in the process list."
        if flag in managed:
            return f"extra_args: {flag} is set by an option of this module; use that."
    return ""


def _environment(more):
    ours = {name: value for name, value in os.environ.items() if not _OURS_NOT.match(name)}
    return {**ours, **{name: str(value) for name, value in more.items()}}


def _memory():
    """Where files with secrets lie: in memory, if the host has such a place."""
    return "/run" if os.access("/run", os.W_OK) else None


class _Simply:
    """Turns what goes wrong around a run into a BootstrapError."""

    def __init__(self, context):
        self.context = context

    def __enter__(self):
        try:
            return self.context.__enter__()
        except (Busy, EngineError, OSError) as error:
            raise BootstrapError(str(error)) from error

    def __exit__(self, *error):
        return self.context.__exit__(*error)


# Texts of the UCP and DTR docs (cli: install, backup; system requirements; release notes); the rest says by itself what is wrong.
_REMEDIES = [
    (r"permission denied.*docker daemon socket", "with SELinux the run needs label=disable, which is given when the engine says that it "
                                                 "uses SELinux; see \"selinux-enabled\" in daemon.json."),
    (r"required ports are blocked", "open them between the nodes, and see that nothing else listens there (role preflight tells what "
                                    "does)."),
    (r"could not find any nodes on which the container could be created",
     "let administrators schedule on managers and DTR nodes (UCP's setting enable_admin_ucp_scheduling)."),
    (r"unable to authenticate|authentication failed|invalid.*(password|credential)|unauthorized",
     "check the administrator's name and password."),
    (r"x509|certificate signed by unknown authority", "give the CA that signed the server's certificate, and a name that it is for."),
    (r"conflict.*name \"?/?ucp\"? is already in use", "another run of docker/ucp is under way; let it end, then run again."),
]
