# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _bootstrapper_log as logs


@pytest.mark.parametrize(("line", "level", "text"), [
    ('time="2020-01-02T03:04:05Z" level=info msg="Beginning DTR install"\n', "info", "Beginning DTR install"),
    ('time="2020-01-02T03:04:05Z" level=fatal msg="no \\"such\\" node" code=7', "fatal", 'no "such" node'),
    ('level=warning msg=short', "warning", "short"),
    ('time="t" level=fatal msg="bad \\x1b escape"', "fatal", "bad \\x1b escape"),
    ("FATA[0000] unable to get valid Docker client", "fatal", "unable to get valid Docker client"),
    ("\x1b[31mERRO\x1b[0m[0012] it \x1b[1mbroke\x1b[0m", "error", "it broke"),
    ("PANI[0001] nil", "fatal", "nil"),
    ('{"level":"error","msg":"x","time":"t"}', "error", "x"),
    ('{"level":"panic","msg":"x"}', "fatal", "x"),
    ('{"not":"a log"}', "plain", '{"not":"a log"}'),
    ("{broken", "plain", "{broken"),
    ("a word about level=fatal in passing", "plain", "a word about level=fatal in passing"),
    ("Pulling image: docker/ucp-agent:3.2.5\r\n", "plain", "Pulling image: docker/ucp-agent:3.2.5"),
])
def test_lines(line, level, text):
    assert logs.parse(line) == {"level": level, "text": text}


def test_secrets_are_hidden_in_every_form():
    pem = "-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n"
    scrub = logs.Scrubber(['pa"ss', pem, ""])
    hidden = scrub('pa"ss pa\\"ss MIIabcdef plain')
    assert 'pa"ss' not in hidden and 'pa\\"ss' not in hidden and "MIIabcdef" not in hidden and hidden.endswith(" plain")


def test_what_best_tells_why():
    log = [{"level": "info", "text": "one"}, {"level": "error", "text": "two"}, {"level": "plain", "text": "three"}]
    assert logs.last_words(log) == "two" and logs.fatal(log) == ""
    assert logs.last_words(log[:1]) == "one" and logs.last_words([]) == "it wrote nothing"
    assert logs.fatal([{"level": "fatal", "text": ""}]) == "(no text)"
