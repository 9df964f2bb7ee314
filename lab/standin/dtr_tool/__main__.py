# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m standin.dtr_tool COMMAND ...`: the entry point of the image docker/dtr. Exit codes: 0 done, 1 not."""

from __future__ import annotations

import importlib
import os
import signal
import sys

from . import flags, parse, rules, usage
from .engine import trouble
from .errors import Fatal, Usage
from .log import Log
from .product import Product
from .ucp_client import Refused

PROGRAM = "dtr"


def main(arguments: list, environ: dict) -> int:
    try:
        product = Product.of(environ)
        if not arguments or arguments[0] in ("--help", "-h", "help"):
            print(usage.tool(PROGRAM))
            return 0 if arguments else 1
        if arguments == ["--version"]:
            print(product.banner)
            return 0
        return command(arguments[0], arguments[1:], environ, product)
    except Usage as problem:
        return refuse(problem, arguments)
    except Fatal as problem:
        Log().fatal(str(problem))
    except Refused as refused:
        Log().fatal(str(trouble(refused)))
    return 1


def command(name: str, arguments: list, environ: dict, product: Product) -> int:
    if name not in flags.COMMANDS:
        raise Usage(f"No such command: {name}")
    extended = "--help-extended" in arguments or (bool(flags.of(name)) and environ.get("DTR_EXTENDED_HELP", "") in ("1", "true"))
    if "--help" in arguments or ("--help-extended" in arguments and flags.of(name)):
        print(usage.command(PROGRAM, name, extended))
        return 0
    values = parse.read(name, parse.texts(name, arguments, environ))
    values = parse.complete(name, values, terminal=sys.stdin.isatty())
    rules.check(name, values)
    run = importlib.import_module(f".commands.{name.replace('-', '_')}", __package__).run
    run(product, values, Log(debug=values.get("debug", False)))
    return 0


def refuse(problem: Usage, arguments: list) -> int:
    known = arguments and arguments[0] in flags.COMMANDS
    text = usage.command(PROGRAM, arguments[0]) if known else usage.tool(PROGRAM)
    print(f"Incorrect Usage: {problem}\n\n{text}", file=sys.stderr)
    return 1


def interrupted(_signal, _frame):
    raise Fatal("Interrupted: what was done so far stays; run the command again, or see `remove` and `destroy`")


if __name__ == "__main__":
    for _name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_name, interrupted)   # as PID 1 the tool would not be ended by them
    sys.exit(main(sys.argv[1:], dict(os.environ)))
