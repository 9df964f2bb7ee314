# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the stand-in's images: the one list behind `images --list`, the archives and what a node has to have.

`python -m standin.product_images` prints `PRODUCT VERSION ORGANISATION`, a line each; with PRODUCT and VERSION, their images' names.
"""

from __future__ import annotations

import sys

# What a version's images are named after: the vendor renamed from UCP 3.2.8/3.3.2 and DTR 2.7.8/2.8.2 on (release notes).
VERSIONS = {
    "ucp": {"3.2.5": "docker", "3.3.7": "mirantis"},
    "dtr": {"2.7.6": "docker", "2.8.5": "mirantis"},
}
# The tool itself comes last. Names of DTR's components: field observation; UCP's: of the containers that are emulated.
COMPONENTS = {
    "ucp": ["ucp-agent", "ucp-auth", "ucp-auth-store", "ucp-controller", "ucp"],
    "dtr": ["dtr-api", "dtr-garant", "dtr-jobrunner", "dtr-nginx", "dtr-notary-server", "dtr-notary-signer", "dtr-postgres",
            "dtr-registry", "dtr-rethink", "dtr"],
}


def image(component: str, version: str, organisation: str) -> str:
    return f"{organisation}/{component}:{version}"


def names(product: str, version: str, organisation: str) -> list[str]:
    """All images of a version, the tool's last."""
    return [image(component, version, organisation) for component in COMPONENTS[product]]


def main(arguments: list[str]) -> None:
    if arguments:
        product, version = arguments
        print("\n".join(names(product, version, VERSIONS[product][version])))
        return
    for product, versions in VERSIONS.items():
        for version, organisation in versions.items():
            print(product, version, organisation)


if __name__ == "__main__":
    main(sys.argv[1:])
