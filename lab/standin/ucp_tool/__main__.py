# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m standin.ucp_tool COMMAND ...`: the entry point of the image docker/ucp. Exit codes: 0 done, 1 not."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys

from ..cluster.etcd import EtcdError
from ..dtr_tool.errors import Fatal, Usage
from ..dtr_tool.log import Log
from ..engine.client import EngineError
from . import flags, parse
from .run import Run


class JsonLog(Log):
    """--jsonlog: one JSON object a line."""

    def _write(self, level: str, message: str) -> None:
        self.stream.write(json.dumps({"level": level, "msg": message}) + "\n")
        self.stream.flush()


def main(arguments: list[str], environ: dict) -> int:
    log = Log()
    try:
        command = arguments[0] if arguments else "help"
        if command in ("help", "--help", "-h"):
            known = arguments[1:2] and arguments[1] in flags.COMMANDS
            print(parse.command_help(arguments[1]) if known else parse.tool_help())
            return 0 if arguments else 1
        if command in flags.DEPRECATED:
            raise Fatal(f"The {command} command is deprecated and does nothing; UCP's containers restart by themselves")
        if command not in flags.COMMANDS:
            raise Usage(f"No such command: {command}")
        if "--help" in arguments or "-h" in arguments:
            print(parse.command_help(command))
            return 0
        values = parse.values(command, arguments[1:], environ)
        log = (JsonLog if values.get("jsonlog") else Log)(debug=values.get("debug", False))
        module = importlib.import_module(f".commands.{command.replace('-', '_')}", __package__)
        module.run(Run(command, values, environ, log))
        return 0
    except Usage as problem:
        text = parse.command_help(arguments[0]) if arguments[0] in flags.COMMANDS else parse.tool_help()
        print(f"Incorrect Usage: {problem}\n\n{text}", file=sys.stderr)
    except (Fatal, EngineError, EtcdError) as problem:
        log.fatal(str(problem))
    return 1


def _interrupted(_signal, _frame):
    raise Fatal("interrupted: what was done so far stays; run the command again")


if __name__ == "__main__":
    for _name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_name, _interrupted)   # as PID 1 the tool would not be ended by them
    sys.exit(main(sys.argv[1:], dict(os.environ)))
