# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the bootstrappers write: logrus lines with or without a terminal, JSON lines, plain lines. No I/O."""

from __future__ import annotations

import json
import re

_LOGRUS = re.compile(r'(?:^|\s)level=(\w+)(?:\s|$)')
_MESSAGE = re.compile(r'(?:^|\s)msg=("(?:[^"\\]|\\.)*"|\S+)')
_TERMINAL = re.compile(r'^(?:\x1b\[[0-9;]*m)?(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)(?:\x1b\[[0-9;]*m)?\[[^\]]*\]\s*(.*)$')
_COLOUR = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
_LEVELS = {
    "trac": "debug", "debu": "debug", "info": "info", "warn": "warning", "erro": "error", "fata": "fatal", "pani": "fatal",
}
HIDDEN = "********"


def parse(line):
    """{level, text} of one line; level is debug, info, warning, error, fatal, or plain where the line names none."""
    line = line.rstrip("\r\n")
    return _json_line(line) or _logrus_line(line) or _terminal_line(line) or {"level": "plain", "text": _COLOUR.sub("", line).strip()}


def level_of(word):
    """One of our levels; panic counts as fatal."""
    return _LEVELS.get(str(word).lower()[:4], "plain")


def _json_line(line):
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or "level" not in record:
        return None
    return {"level": level_of(record["level"]), "text": str(record.get("msg", ""))}


def _logrus_line(line):
    level, message = _LOGRUS.search(line), _MESSAGE.search(line)
    if not (level and message):
        return None
    return {"level": level_of(level.group(1)), "text": _unquoted(message.group(1))}


def _terminal_line(line):
    found = _TERMINAL.match(line)
    return {"level": level_of(found.group(1)), "text": _COLOUR.sub("", found.group(2)).strip()} if found else None


def _unquoted(text):
    if not text.startswith('"'):
        return text
    try:
        return json.loads(text, strict=False)
    except ValueError:   # Go escapes more than JSON does
        return text[1:-1].replace('\\"', '"')


class Scrubber:
    """Hides secrets in text; each line of a secret of several lines counts, as do the forms in which logs quote them."""

    def __init__(self, secrets):
        parts = set()
        for secret in secrets:
            lines = [line for line in str(secret).splitlines() if len(line.strip()) > 3]
            for part in [str(secret), *(lines if len(lines) > 1 else [])]:
                parts |= {part, json.dumps(part)[1:-1], part.strip()}
        self.parts = sorted((part for part in parts if part), key=len, reverse=True)

    def __call__(self, text):
        for part in self.parts:
            text = text.replace(part, HIDDEN)
        return text


def fatal(log):
    """The text of the first fatal line, "" when there is none."""
    return next((line["text"] or "(no text)" for line in log if line["level"] == "fatal"), "")


def last_words(log, count=3):
    """What best tells why a run failed: its errors, else its last lines."""
    wrong = [line["text"] for line in log if line["level"] in ("error", "fatal") and line["text"]]
    return "; ".join((wrong or [line["text"] for line in log if line["text"]])[-count:]) or "it wrote nothing"
