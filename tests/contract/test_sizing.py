# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds of the role preflight are the documented ones (contract/runtime.md, sections 3 and 4)."""

from __future__ import annotations

import re

import pytest
import yaml


@pytest.fixture(scope="module")
def runtime(contract):
    return (contract / "runtime.md").read_text()


@pytest.fixture(scope="module")
def profiles(root):
    return yaml.safe_load((root / "roles/preflight/vars/main.yml").read_text())["__preflight_profiles"]


def sizing(runtime: str, row: str) -> list[str]:
    """The cells of a row of the sizing table: minimum, recommended."""
    return re.search(rf"^\| {re.escape(row)} \| (.*) \|$", runtime, re.MULTILINE).group(1).split(" | ")


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


@pytest.mark.parametrize(
    ("profile", "row"),
    [("ucp_manager", "UCP manager"), ("dtr", "DTR node")],
)
def test_minimum_and_recommendation(runtime, profiles, profile, row):
    minimum, recommended = sizing(runtime, row)
    checks = profiles[profile]
    disk = checks["disk"]["engine"]
    assert [checks["memory"]["minimum"], checks["cpus"]["minimum"], disk["minimum"]] == [
        f"{numbers(minimum)[0]} GiB", int(numbers(minimum)[1]), f"{numbers(minimum)[2]} GB",
    ]
    assert [checks["memory"]["recommended"], checks["cpus"]["recommended"], disk["recommended"]] == [
        f"{numbers(recommended)[0]} GiB", int(numbers(recommended)[1]), f"{numbers(recommended)[2]} GB",
    ]


def test_worker(runtime, profiles):
    memory, disk = numbers(sizing(runtime, "UCP worker")[0])
    assert profiles["ucp_worker"]["memory"]["minimum"] == f"{memory} GiB"
    assert profiles["ucp_worker"]["disk"]["engine"]["minimum"] == f"{disk} MB"


def test_scanning(runtime, profiles):
    assert profiles["dtr_scanning"]["memory"]["minimum"] == f"{numbers(sizing(runtime, 'DTR with scanning')[0])[0]} GiB"


def test_every_documented_manager_port_is_checked(runtime, profiles):
    section = runtime.split("## 3. UCP ports")[1].split("## 4.")[0]
    documented = {
        int(port)
        for hosts, ports in re.findall(r"^\| (managers[^|]*) \| (?:TCP|UDP|TCP and UDP) (\d+)[^|]* \|", section, re.MULTILINE)
        for port in [ports]
    }
    assert documented
    checked = {
        int(re.search(r"\d+", str(rule["port"])).group())
        for rule in profiles["ucp_manager"]["ports"].values()
    }
    assert documented == checked
