# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`images`: the names of all images, or a check that pulls what is missing."""

from __future__ import annotations

WINDOWS = ("ucp-agent-win", "ucp-dsinfo-win")


def run(run) -> None:
    if run["list"]:
        names = run.images() + ([run.product.image(name) for name in WINDOWS] if run["enable-windows"] else [])
        print("\n".join(names))
        return
    run.provide_images()
    run.log.info("All required images are present on this node")
