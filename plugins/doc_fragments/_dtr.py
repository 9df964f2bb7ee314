# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches Docker Trusted Registry."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Name or address of the registry as clients use it, with a port when it is not 443, such as V(registry.example.com:4443).
      - Environment variable E(DTR_HOST).
    type: str
    required: true
  username:
    description:
      - The account that makes the requests. Most modules need a system administrator.
      - Environment variable E(DTR_USERNAME).
    type: str
  password:
    description:
      - Its password.
      - Environment variable E(DTR_PASSWORD).
    type: str
  token:
    description:
      - An access token of the account, in place of O(password); it wins when both are given. It can be revoked without changing the
        password, which makes it the better choice for automation.
      - Environment variable E(DTR_TOKEN).
    type: str
  ca_path:
    description:
      - File with the CA that signed the registry's certificate, PEM. Without it the system's authorities count.
      - Environment variable E(DTR_CA_PATH).
    type: path
  client_cert:
    description:
      - File with a client certificate, PEM, where the registry takes them (settings, client certificate authentication).
      - Environment variable E(DTR_CLIENT_CERT).
    type: path
  client_key:
    description:
      - File with its private key, PEM.
      - Environment variable E(DTR_CLIENT_KEY).
    type: path
  validate_certs:
    description:
      - Whether the registry's certificate is verified. V(false) lets anyone in between read the credentials; the module warns at each run.
      - Environment variable E(DTR_VALIDATE_CERTS).
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for a connection and for each next part of an answer.
      - Environment variable E(DTR_TIMEOUT).
    type: int
    default: 30
  retries:
    description:
      - How often a request is tried again, with growing pauses, after a broken connection or one of the answers 429, 502, 503 and 504.
        Requests that would do something twice are repeated only when the server says that it did not begin. Five tries take some 15
        seconds, more where the server asks for longer pauses, of which each is cut to a minute.
      - Environment variable E(DTR_RETRIES).
    type: int
    default: 5
  threads:
    description: How many requests are under way at the same time, at the most.
    type: int
    default: 8
attributes:
  action_group:
    description: Use C(group/dockyard.trusted_registry.dtr) in C(module_defaults) to set the options of the connection once.
    support: full
    membership:
      - dockyard.trusted_registry.dtr
  platform:
    description: Runs wherever the play runs it, usually on the controller; the registry is reached over HTTPS.
    platforms: posix
    support: full
requirements:
  - requests
notes:
  - Examples that show no options of the connection take them from C(module_defaults) or from the environment.
"""
