# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for tests: in a thread, on free ports, over TLS. A test fails when it made requests the interface does not know."""

from __future__ import annotations

import pathlib
import sys

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "tests")]

import exchange_log  # noqa: E402
from standin.options import Options  # noqa: E402
from standin.standin import Threaded  # noqa: E402

PASSWORD = "stand-in password"
REGISTRY_BINARY = ROOT / ".venv/bin/docker-registry"


class running:
    """A running stand-in; afterwards it must not have seen or sent anything outside the interface.

    A test that asks for what the interface does not know sets `standin.expect_violations = True`.
    """

    def __init__(self, state: pathlib.Path, **options):
        options = {"memory": True, "record": True, "password": PASSWORD, "claim_delay": 0.0, "default_crons": False, **options}
        self.threaded, self.standin = Threaded(Options(state=state, **options)), None

    def __enter__(self):
        self.standin = self.threaded.__enter__()
        self.standin.expect_violations = False
        return self.standin

    def __exit__(self, kind, error, trace):
        self.threaded.__exit__(kind, error, trace)
        if error is None:
            self.judge()

    def judge(self):
        """Keeps what was said for the contract tests; fails on what should not have been said."""
        standin = self.standin
        exchange_log.add(standin.exchanges)
        assert not standin.crashes, "the stand-in failed: " + "\n".join(standin.crashes)
        assert not standin.answer_violations, f"answers outside the interface: {standin.answer_violations}"
        assert standin.expect_violations or not standin.violations, f"requests outside the interface: {standin.violations}"


class Client:
    """The least of a client: `client("GET", "/path", 200, json=...)` returns the answer and insists on its status."""

    def __init__(self, url: str, ca_file: str, user: str | None = None, password: str = PASSWORD):
        self.url, self.session = url, requests.Session()
        self.session.verify, self.session.trust_env = ca_file, False
        self.session.auth = (user, password) if user else None

    def __call__(self, verb: str, path: str, status: int = 200, **arguments) -> requests.Response:
        answer = self.session.request(verb, self.url + path, timeout=30, **arguments)
        assert answer.status_code == status, f"{verb} {path}: {answer.status_code} {answer.text[:400]}"
        return answer


@pytest.fixture
def standin(tmp_path):
    with running(tmp_path / "standin") as started:
        yield started


@pytest.fixture
def standin_with_registry(tmp_path):
    if not REGISTRY_BINARY.exists():
        pytest.fail(f"{REGISTRY_BINARY} is missing: run make setup")
    with running(tmp_path / "standin", registry_binary=str(REGISTRY_BINARY)) as started:
        yield started


@pytest.fixture
def dtr(standin):
    """A client of DTR, signed in as the administrator."""
    return Client(standin.dtr_url, standin.ca_file, standin.admin[0])


@pytest.fixture
def dtr_as(standin):
    """A client of DTR for another user, or for nobody: `dtr_as("ann")`, `dtr_as(None)`."""
    return lambda user, password=PASSWORD: Client(standin.dtr_url, standin.ca_file, user, password)
