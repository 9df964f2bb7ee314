# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this build of DTR is: version, names of its images (the vendor renamed them), and what goes with what."""

from __future__ import annotations

import dataclasses

from .. import product_images

# In the order in which they are created: a replica without the last two was never finished.
COMPONENTS = ("rethinkdb", "api", "garant", "jobrunner", "notary-server", "notary-signer", "scanningstore", "registry", "nginx")
# Two components run images of other names (field observation).
IMAGE_OF = {"rethinkdb": "rethink", "scanningstore": "postgres"}
# The minor of UCP that each minor of DTR is made for (DTR docs: 2.7 with 3.2; the others: field observation).
UCP_OF = {(2, 6): (3, 1), (2, 7): (3, 2), (2, 8): (3, 3), (2, 9): (3, 4)}


def numbers(version: str) -> tuple:
    return tuple(int(part) for part in version.split("."))


@dataclasses.dataclass(frozen=True)
class Product:
    version: str
    organization: str
    commit: str = "standin"

    @classmethod
    def of(cls, environ: dict) -> Product:
        return cls(environ["STANDIN_PRODUCT_VERSION"], environ["STANDIN_ORG"])

    @property
    def banner(self) -> str:
        return f"DTR version {self.version} ({self.commit})"

    @property
    def tool(self) -> str:
        return product_images.image("dtr", self.version, self.organization)

    def image(self, component: str) -> str:
        return product_images.image(f"dtr-{IMAGE_OF.get(component, component)}", self.version, self.organization)

    def images(self) -> list:
        return product_images.names("dtr", self.version, self.organization)


def ucp_problem(dtr: str, ucp: str) -> str:
    """Why this DTR cannot run with this UCP; empty when it can. UCP is upgraded first, so a newer one is fine."""
    wanted = UCP_OF.get(numbers(dtr)[:2])
    if wanted and numbers(ucp)[:2] < wanted:
        return f"DTR {dtr} needs UCP {wanted[0]}.{wanted[1]} or newer, and this is UCP {ucp}: upgrade UCP first"
    return ""


def path_problem(present: str, target: str) -> str:
    """Why a cluster of version `present` cannot be upgraded to `target`; empty when it can (DTR docs: upgrade).

    Any later patch; one minor step; from one major to the next only to its first minor.
    """
    old, new = numbers(present), numbers(target)
    if new < old:
        return f"DTR {present} cannot be downgraded to {target}: use the docker/dtr image of version {present} or newer"
    if new[0] == old[0] and new[1] - old[1] <= 1:
        return ""
    if new[0] == old[0] + 1 and new[1] == 0:
        return ""
    step = f"{old[0]}.{old[1] + 1}" if new[0] == old[0] else f"{old[0] + 1}.0"
    return f"DTR {present} cannot be upgraded to {target} in one step: upgrade to {step} first"
