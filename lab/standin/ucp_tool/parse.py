# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments and environment to checked values, and the texts of --help."""

from __future__ import annotations

from ..dtr_tool.errors import Fatal, Usage
from . import checks, flags

PROGRAM = "ucp"


def split(command: str, arguments: list[str]) -> dict:
    """{name of the flag: its texts, in the order given}; `Usage` for what the command does not take."""
    long = {flag.name: flag for flag in flags.of(command)}
    short = {flag.short: flag for flag in flags.of(command) if flag.short}
    given, rest = {}, list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            raise Usage(f"unexpected argument {word!r}")
        spelled, equals, value = word.lstrip("-").partition("=")
        flag = (long if word.startswith("--") else short).get(spelled)
        if not flag:
            raise Usage(f"flag provided but not defined: {word.partition('=')[0]}")
        if flag.kind == "bool":
            value = value if equals else "true"
        elif not equals:
            if not rest:
                raise Usage(f"flag needs an argument: --{flag.name}")
            value = rest.pop(0)
        if flag.name in given and not flag.many:
            raise Usage(f"--{flag.name} is given twice")
        given.setdefault(flag.name, []).append(value)
    return given


def values(command: str, arguments: list[str], environ: dict) -> dict:
    """Checked values by flag, defaults included. An option wins over its variable; an empty variable counts as none.

    Lists in variables are separated by commas (not documented).
    """
    given, found = split(command, arguments), {}
    for flag in flags.of(command):
        texts = given.get(flag.name)
        if texts is None and flag.env and environ.get(flag.env):
            texts = environ[flag.env].split(",") if flag.many else [environ[flag.env]]
        if texts is None:
            default = False if flag.kind == "bool" and flag.default is None else flag.default
            found[flag.name] = [] if flag.many else default
            continue
        checked = [_checked(flag, text) for text in texts]
        found[flag.name] = checked if flag.many else checked[0]
    return found


def _checked(flag: flags.Flag, text: str):
    try:
        return checks.KINDS[flag.kind](text)
    except ValueError as problem:
        shown = f" (${flag.env})" if flag.env else ""
        raise Fatal(f"Invalid value of --{flag.name}{shown}: {problem}") from None


def tool_help() -> str:
    usage = "docker container run --rm -it --name ucp -v /var/run/docker.sock:/var/run/docker.sock IMAGE COMMAND [command options]"
    lines = ["NAME:", f"   {PROGRAM} - Docker Universal Control Plane Tool (stand-in)", "", "USAGE:", f"   {usage}", "", "COMMANDS:"]
    lines += [f"   {name:<20}{summary}" for name, summary in flags.COMMANDS.items()]
    lines += [f"   {'help':<20}Shows a list of commands or help for one command", ""]
    return "\n".join(lines)


def command_help(command: str) -> str:
    lines = ["NAME:", f"   {PROGRAM} {command} - {flags.COMMANDS[command]}", ""]
    lines += ["USAGE:", f"   {PROGRAM} {command} [command options]", "", "OPTIONS:"]
    for flag in flags.of(command):
        spelled = f"--{flag.name}" + (f", -{flag.short}" if flag.short else "") + ("" if flag.kind == "bool" else " value")
        default = f" (default: {flag.default})" if flag.default is not None else ""
        lines.append(f"   {spelled:<38}{flag.summary}{default}" + (f" [${flag.env}]" if flag.env else ""))
    return "\n".join([*lines, f"   {'--help':<38}Print this help", ""])
