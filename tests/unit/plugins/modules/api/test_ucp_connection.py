# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the modules for UCP sign in: password, session token, client bundle, environment."""

from __future__ import annotations

import pytest
from api_modules import ModuleFailed, connection, run

ROLES = {"roles": [{"name": "Pull only", "operations": {"Image": ["Image Load"]}}]}


def without_password(standin):
    """The options of a connection but user and password."""
    return {name: value for name, value in connection(standin, "ucp_role").items() if name not in ("username", "password")}


def logins(standin):
    """How often somebody signed in and out."""
    paths = [exchange.path for exchange in standin.exchanges]
    return paths.count("/auth/login"), paths.count("/id/logout")


def session(standin):
    """The token of a session that an operator has open."""
    caller = standin.auth.of_password(*standin.admin)
    return standin.ucp.login(caller)


def test_one_session_for_a_run_and_none_left(standin, run_module):
    run_module("ucp_role", **ROLES)
    assert logins(standin) == (1, 1)
    assert not standin.store.all("session")


def test_many_runs_do_not_push_out_the_operator(standin, run_module):
    token = session(standin)
    for _run in range(11):
        run_module("ucp_role", **ROLES)
    assert standin.ucp.sessions.account(token) == "admin"


def test_a_token_that_is_given_is_used_and_stays(standin):
    token = session(standin)
    assert run("ucp_role", {**without_password(standin), **ROLES, "token": token})["changed"]
    assert logins(standin) == (0, 0)
    assert standin.ucp.sessions.account(token) == "admin"


def test_a_client_bundle_needs_no_session(standin, run_module, tmp_path):
    run_module("ucp_client_bundle", dest=str(tmp_path / "bundle"))
    standin.exchanges.clear()
    pair = {"client_cert": str(tmp_path / "bundle/cert.pem"), "client_key": str(tmp_path / "bundle/key.pem")}
    assert run("ucp_role", {**without_password(standin), **ROLES, **pair})["changed"]
    assert logins(standin) == (0, 0)


def test_the_environment_leads_to_the_server(standin, monkeypatch):
    for name, value in connection(standin, "ucp_role").items():
        monkeypatch.setenv(f"UCP_{name.upper()}", value)
    assert run("ucp_role", ROLES)["changed"]


@pytest.mark.parametrize("given", [{}, {"username": "admin"}, {"password": "s3cret-of-a-user"}])
def test_credentials_are_needed(standin, given):
    with pytest.raises(ModuleFailed, match="no credentials: give username and password"):
        run("ucp_role", {**without_password(standin), **ROLES, **given})
    assert not standin.exchanges


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(standin, run_module, status):
    standin.faults.add(match="GET /roles", kind="status", status=status, times=2)
    assert run_module("ucp_role", **ROLES)["changed"]


def test_a_session_that_ends_while_requests_run_in_parallel(standin, run_module, monkeypatch):
    """All requests under way are told that the session has ended; one of them opens the next for all."""
    for number in range(8):
        standin.accounts.create({"name": f"user{number}", "password": "s3cret-of-a-user"})
    account, asked = standin.ucp.sessions.account, []

    def ends_at_the_fourth_request(token):
        asked.append(token)
        if len(asked) == 4:
            standin.ucp.sessions.close_all()
        return account(token)

    monkeypatch.setattr(standin.ucp.sessions, "account", ends_at_the_fourth_request)
    grants = [{"subject": f"user{number}", "role": "View Only", "collection": "/Shared"} for number in range(8)]
    assert run_module("ucp_grant", grants=grants)["counts"]["created"] == 8
    assert logins(standin) == (2, 1)
