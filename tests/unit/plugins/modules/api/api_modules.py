# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run in this process, and what each of them must say when things go wrong."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from unittest import mock

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.dockyard.trusted_registry.plugins.modules"
SECRETS = ("stand-in password", "s3cret-of-a-user", "S3-SECRET-KEY")   # must stand in no output; the first is the administrator's


class ModuleFailed(Exception):
    """fail_json; result: all it said."""

    def __init__(self, result):
        super().__init__(result["msg"])
        self.result = result


@contextlib.contextmanager
def as_a_process():
    """Warnings stand in the result, as on a host, and only those of this run: other tests bring the controller's code into this process."""
    with mock.patch.object(_internal, "is_controller", False), mock.patch.dict(warnings._global_warnings, clear=True):
        yield


def run(name, args, check=False):
    """The result of a module's run with these options; ModuleFailed when it failed. No secret may stand in what it prints."""
    main = importlib.import_module(f"{MODULES}.{name}").main
    printed = io.StringIO()
    options = {**args, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(options), as_a_process(), contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
        main()
    text = printed.getvalue()
    result = json.loads(text)
    shown = json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert not [secret for secret in SECRETS if secret in text], text
    assert "BEGIN PRIVATE KEY" not in shown, shown
    if result.get("failed"):
        raise ModuleFailed(result)
    return result


def connection(standin, name):
    """The options that lead a module to the stand-in."""
    host = standin.ucp_host if name.startswith("ucp_") else standin.dtr_host
    return {"host": host, "username": standin.admin[0], "password": standin.admin[1], "ca_path": str(standin.ca_file)}


class Failure:
    """options: of the module; says: what its message must match; begin: switches the fault on."""

    def __init__(self, says, options=None, **fault):
        self.says, self.options, self.fault = says, options or {}, fault

    def begin(self, standin):
        """Let it happen from now on."""
        if self.fault:
            standin.faults.add(match="* *", times=1000, **self.fault)


# Modules of facts tell what the account may not see in not_readable, and give the rest.
TELL_OF_403 = ("dtr_info", "ucp_info")
FAILURES = {
    "wrong password": Failure("answered 401.*credentials of 'admin' are not accepted", {"password": "wrong"}),
    "token that expired": Failure("answered 401.*are not accepted", kind="expire_token"),
    "409": Failure("answered 409", kind="status", status=409),
    "403": Failure("answered 403.*may not do this", kind="status", status=403),
    "500": Failure("answered 500", kind="status", status=500),
    "503 that stays": Failure("answered 503.*several tries", {"retries": 1}, kind="status", status=503),
    "429 that stays": Failure("answered 429.*too many requests", {"retries": 1}, kind="status", status=429),
    "no answer in time": Failure("no answer within 1 s", {"timeout": 1, "retries": 0}, kind="delay", seconds=1.3),
    "connection that breaks": Failure("the connection broke", {"retries": 1}, kind="drop"),
    "CA that did not sign": Failure("certificate is not trusted.*ca_path", {"ca_path": "/etc/ssl/certs/ca-certificates.crt"}),
    "nobody there": Failure("no connection.*Check host and port", {"host": "127.0.0.1:9", "retries": 0}),
    "address that is none": Failure("is no address", {"host": "https://registry.example.com/"}),
}
