# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments and environment to checked values; asking for what is missing where there is a terminal."""

from __future__ import annotations

import getpass
import sys

from . import checks, flags
from .errors import Fatal, Usage


def split(command: str, arguments: list) -> dict:
    """{name of the flag: its text, or True for a switch without a value}; `Usage` for what the command does not take."""
    known = {name: flag for flag in flags.of(command) for name in (flag.name, *flag.aliases)}
    given, rest = {}, list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            raise Usage(f"unexpected argument {word!r}")
        name, equals, value = word[2 if word.startswith("--") else 1:].partition("=")
        flag = known.get(name)
        if not flag or (not word.startswith("--") and name != "y"):
            raise Usage(f"flag provided but not defined: {word.partition('=')[0]}")
        if flag.name in given:
            raise Usage(f"--{flag.name} is given twice")
        if not equals and not flag.switch:
            if not rest:
                raise Usage(f"flag needs an argument: --{flag.name}")
            value = rest.pop(0)
        given[flag.name] = True if flag.switch and not equals else value
    return given


def texts(command: str, arguments: list, environ: dict) -> dict:
    """The options, and where one is missing its variable; an empty variable counts as none."""
    given = split(command, arguments)
    for flag in flags.of(command):
        if flag.name not in given and environ.get(flag.env):
            given[flag.name] = environ[flag.env]
    return given


def read(command: str, given: dict) -> dict:
    """The checked values of what is given."""
    values = {}
    for flag in flags.of(command):
        if flag.name not in given:
            continue
        try:
            values[flag.name] = given[flag.name] if given[flag.name] is True else checks.KINDS[flag.kind](given[flag.name])
        except ValueError as problem:
            raise Fatal(f"Invalid value of --{flag.name} (${flag.env}): {problem}") from None
    return values


def complete(command: str, values: dict, terminal: bool) -> dict:
    """Asks for required values on a terminal; without one, the first that is missing is fatal.

    backup and restore never ask: their standard streams carry the archive.
    """
    values = dict(values)
    for flag in flags.of(command):
        if not flag.required or values.get(flag.name) not in (None, "") or values.get(flag.unless):
            continue
        if not terminal or command in (flags.BACKUP, flags.RESTORE):
            raise Fatal(f"Missing required value: give --{flag.name} or ${flag.env}; there is no terminal to ask for it")
        answer = ask(flag)
        values.update(read(command, {flag.name: answer}))
        if not answer:
            raise Fatal(f"Missing required value: --{flag.name} (${flag.env})")
    return values


def ask(flag: flags.Flag) -> str:
    label = f"{flag.name}: " if flag.secret else f"{flag.name} ({flag.summary}): "
    if flag.secret:
        return getpass.getpass(label, stream=sys.stderr)
    sys.stderr.write(label)
    sys.stderr.flush()
    return sys.stdin.readline().strip()
