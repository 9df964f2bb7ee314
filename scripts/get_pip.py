"""Stands in for the pip installer that ansible-test would fetch: puts pip into the environment that runs it, from Python's own ensurepip.

ansible-test calls it with the packages to install (pip at a certain version) and pip's options.
"""

from __future__ import annotations

import runpy
import subprocess
import sys

# In a process of its own: in this one ensurepip would leave pip without its configuration (index, CA).
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.argv = ["pip", "install", *(a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel"))]
runpy.run_module("pip", run_name="__main__")
