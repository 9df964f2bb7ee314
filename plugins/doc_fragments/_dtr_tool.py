# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """How a module runs docker/dtr on a managed host."""

    DOCUMENTATION = r"""
options:
  image:
    description: The installer with its tag, such as V(docker/dtr:2.7.6) or V(mirantis/dtr:2.8.5). Its tag is the version.
    type: str
    required: true
  pull:
    description: Whether the image may be pulled. V(never) fails when it is not on the host.
    type: str
    choices: [never, missing, always]
    default: never
  ucp_url:
    description: UCP's name or address, as containers on the node reach it, with a port when it is not 443.
    type: str
    required: true
  ucp_username:
    description: An administrator of UCP.
    type: str
    required: true
  ucp_password:
    description: Its password. It reaches the installer by its environment, never by its command line.
    type: str
    required: true
  ucp_ca:
    description: The CA that signed UCP's certificate, PEM text. Without it the system's authorities count.
    type: str
  ucp_insecure_tls:
    description: Whether UCP's certificate is not verified. Anyone in between can then read the password; the module warns at each run.
    type: bool
    default: false
  timeout:
    description: Seconds that a run of the installer may take; it is stopped then.
    type: int
    default: 1800
  debug:
    description: Whether the installer logs more.
    type: bool
    default: false
  extra_args:
    description: Further flags, as C(--flag) or C(--flag=value). Flags that the module has an option for, and secrets, are refused.
    type: list
    elements: str
    default: []
attributes:
  platform:
    platforms: linux
notes:
  - Runs the installer on the engine of the host. Any host that reaches UCP will do; take the same one always, so that two runs cannot
    cross.
  - Needs an administrator of UCP, and UCP's setting C(enable_admin_ucp_scheduling).
  - Sources are the DTR documentation, command line, and the DTR release notes.
"""
