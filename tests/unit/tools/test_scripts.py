# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout's own tools: what is missing is said in one line, and what proves nothing does not pass."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]

RECAP = """\
INFO     [x > {step}] Executing
PLAY RECAP *********************************************************************
{host}                  : ok=3    changed=0    unreachable=0    failed=0
INFO     [x > {step}] Executed: Successful
"""


@pytest.fixture
def build(tmp_path):
    """Run lab/node/build with stand-ins for the commands it asks; returns its status and what it wrote to stderr."""

    def run(**commands):
        for name, body in commands.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        result = subprocess.run(
            [ROOT / "lab/node/build"], env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False,
        )
        return result.returncode, result.stderr.strip()

    return run


ANSWERS = 'case "$*" in "version"*) exit 0;; "info"*) echo /;; *) exit 1;; esac'


def test_no_engine_answers(build):
    code, said = build(docker="exit 1")
    assert code == 1
    assert re.fullmatch(r"\[lab\] ERROR: no Docker engine answers: .*", said)


def test_disk_too_small(build):
    code, said = build(docker=ANSWERS, df="printf 'Avail\\n100\\n'")
    assert code == 1
    assert said == "[lab] ERROR: / has 100 MB free; the node images need 4000 MB"


def test_no_network_for_the_base_image(build):
    code, said = build(
        docker=ANSWERS, df="printf 'Avail\\n9000\\n'", id="echo 0",
        debootstrap="echo 'E: Failed getting release file'; exit 1",
    )
    assert code == 1
    assert said.splitlines()[-1].startswith("[lab] ERROR: debootstrap failed (network, or no space")
    assert "E: Failed getting release file" in said


def test_tag_follows_the_recipe():
    tag = subprocess.run([ROOT / "lab/node/build", "--tag"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"[0-9a-f]{12}\n", tag)


def proves_nothing(log):
    """What scripts/molecule finds wrong with a log that molecule calls a success."""
    script = (ROOT / "scripts/molecule").read_text()
    function = re.search(r"^proves_nothing\(\).*?^}", script, re.MULTILINE | re.DOTALL).group()
    command = f"set -euo pipefail\n{function}\nproves_nothing {log}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False).stdout.strip()


def steps(**hosts):
    return "".join(RECAP.format(step=step, host=hosts.get(step, "node-1")) for step in ("check", "converge", "idempotence"))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (steps() + "===== 3 passed in 1.2s =====\n", ""),
        (steps(converge="localhost") + "===== 3 passed in 1.2s =====\n", "converge met no host"),
        (steps(idempotence="localhost") + "===== 3 passed in 1.2s =====\n", "idempotence met no host"),
        (RECAP.format(step="converge", host="node-1") + "===== 3 passed in 1.2s =====\n", ""),
        ("===== 3 passed in 1.2s =====\n", "converge met no host"),
        (steps(), "no test ran"),
        (steps() + "===== no tests ran in 0.1s =====\n", "no test ran"),
    ],
    ids=["a real run", "a play without hosts", "no host twice", "neither check nor second run", "no converge", "no verifier", "no test"],
)
def test_a_scenario_that_proves_nothing_is_found(tmp_path, text, finding):
    log = tmp_path / "log"
    log.write_text(text)
    assert proves_nothing(log) == finding
