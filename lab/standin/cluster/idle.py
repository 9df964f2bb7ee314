# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m standin.cluster.idle NAME`: a container that exists by name only; what it would do, others do."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "this container"
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    print(f"stand-in: {name} is here by name only", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
