# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_input import (
    entry_problems,
    list_problems,
    source_errors,
)

PATHS = {"certificate": "/etc/web/certificate.pem", "key": "/etc/web/key.pem"}


def issued(**more):
    return dict({"name": "web", "source": "issued", "names": ["web.test", "*.web.test", "192.0.2.1", "fe80::1"], "deploy": PATHS}, **more)


def provided(**more):
    return issued(source="provided", **dict({"certificate": "text", "key_file": "key.pem"}, **more))


@pytest.mark.parametrize("one", [issued(), provided(), issued(deploy=dict(PATHS, mode="0640", group="web"))])
def test_good_entries(one):
    assert entry_problems(one) == [] and source_errors(one) == []


def test_one_file_for_certificate_and_key_is_allowed():
    assert entry_problems(issued(deploy={"certificate": "/etc/web/all.pem", "key": "/etc/web/all.pem"})) == []


@pytest.mark.parametrize(
    "one, message",
    [
        (issued(name="../web"), "the name becomes a file name"),
        (issued(names=[]), "`names` is empty"),
        (issued(names=["https://web.test"]), "neither a host name nor an address; write what clients connect to, without scheme"),
        (issued(names=["web.test:5000"]), "without scheme, port or path"),
        (issued(names=["web test"]), "neither a host name"),
        (issued(deploy={"key": "/k"}), "deploy.certificate is missing"),
        (issued(deploy=dict(PATHS, key="key.pem")), "deploy.key key.pem is not a plain absolute path"),
        (issued(deploy=dict(PATHS, key="/etc/../key.pem")), "is not a plain absolute path"),
        (issued(deploy=dict(PATHS, ca=PATHS["key"])), "give the CA a file of its own"),
        (issued(deploy=dict(PATHS, mode="0644")), 'deploy.mode 0644 is not for a private key; write one of "0400"'),
        (issued(deploy=dict(PATHS, mode="384")), "deploy.mode 384 is not for a private key"),
        (issued(deploy=dict(PATHS, mode="0640")), "no group is named; set deploy.group"),
    ],
)
def test_bad_entries(one, message):
    found = entry_problems(one)
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    "one, message",
    [
        (issued(key="text"), "it is issued here and yet brings key; drop these, or set source: provided"),
        (provided(certificate_file="c.pem"), "both certificate and certificate_file are given"),
        (provided(key_file=""), "source is provided and there is no key; give key_file"),
        (provided(certificate=""), "there is no certificate"),
    ],
)
def test_sources(one, message):
    found = source_errors(one)
    assert len(found) == 1 and message in found[0]
    assert entry_problems(dict(one, errors=found)) == [f'certificates_list entry "web": {found[0]}.']


def test_names_and_files_belong_to_one_entry():
    assert list_problems([issued(), issued(name="b", deploy={"certificate": "/b.pem", "key": "/b.key"})]) == []
    assert "the name occurs twice" in list_problems([issued(), issued()])[0]
    found = list_problems([issued(), issued(name="b")])
    assert len(found) == 2
    assert 'also deployed by entry "web"' in found[0]
