# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines as logrus writes them, on stderr: with time and level without a terminal, coloured and counted with one."""

from __future__ import annotations

import datetime
import json
import sys
import time


class Log:
    def __init__(self, stream=None, debug: bool = False):
        self.stream = stream or sys.stderr
        self.debug_too = debug
        self.began = time.monotonic()

    def debug(self, message: str) -> None:
        if self.debug_too:
            self._write("debug", message)

    def info(self, message: str) -> None:
        self._write("info", message)

    def warn(self, message: str) -> None:
        self._write("warning", message)

    def error(self, message: str) -> None:
        self._write("error", message)

    def fatal(self, message: str) -> None:
        self._write("fatal", message)

    def _write(self, level: str, message: str) -> None:
        if self.stream.isatty():
            line = f"{level[:4].upper()}[{int(time.monotonic() - self.began):04d}] {message}"
        else:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            line = f'time="{now}" level={level} msg={json.dumps(message, ensure_ascii=False)}'
        self.stream.write(line + "\n")
        self.stream.flush()
