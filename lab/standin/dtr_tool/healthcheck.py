# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health check of dtr-nginx: its own /_ping, asked from inside the container."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=15)
try:
    connection.request("GET", "/_ping")
    answer = connection.getresponse()
    print(answer.read().decode(errors="replace"))
except (OSError, http.client.HTTPException) as problem:
    sys.exit(f"/_ping cannot be asked: {problem}")
sys.exit(0 if answer.status == 200 else 1)
