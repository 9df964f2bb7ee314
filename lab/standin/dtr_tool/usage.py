# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of --help, --help-extended and of a wrong command line; made from the table of flags."""

from __future__ import annotations

from . import flags


def tool(program: str) -> str:
    lines = ["NAME:", f"   {program} - Docker Trusted Registry bootstrapper (stand-in)", "", "USAGE:",
             f"   {program} [global options] COMMAND [command options]", "", "COMMANDS:"]
    lines += [f"   {name:<18}{summary}" for name, summary in flags.COMMANDS.items()]
    lines += ["", "GLOBAL OPTIONS:", "   --help             Print this help", "   --version          Print the version and the commit", ""]
    return "\n".join(lines)


def command(program: str, name: str, extended: bool = False) -> str:
    lines = ["NAME:", f"   {program} {name} - {flags.COMMANDS[name]}", "", "USAGE:", f"   {program} {name} [command options]", ""]
    known = flags.of(name)
    lines += ["OPTIONS:"] if known else []
    for flag in known:
        spelled = ", ".join(f"--{spelling}" for spelling in (flag.name, *flag.aliases)) + ("" if flag.switch else " value")
        lines.append(f"   {spelled:<38}{flag.summary} [${flag.env}]")
        if extended and flag.more:
            lines.append(f"{'':<41}{flag.more}")
    lines += [f"   {'--help':<38}Print this help", ""]
    return "\n".join(lines)
