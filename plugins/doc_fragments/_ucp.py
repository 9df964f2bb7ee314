# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches Universal Control Plane."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Name or address of a manager or of the balancer before them, with a port when it is not 443, such as V(ucp.example.com:8443).
      - Environment variable E(UCP_HOST).
    type: str
    required: true
  username:
    description:
      - The account that makes the requests. Most modules need an administrator.
      - Environment variable E(UCP_USERNAME).
    type: str
  password:
    description:
      - Its password.
      - Environment variable E(UCP_PASSWORD).
    type: str
  token:
    description:
      - A session token in place of O(username) and O(password). It cannot be renewed when it expires; give the password for work that
        takes long.
      - Environment variable E(UCP_TOKEN).
    type: str
  ca_path:
    description:
      - File with the CA that signed the server's certificate, PEM. Without it the system's authorities count.
      - Environment variable E(UCP_CA_PATH).
    type: path
  client_cert:
    description:
      - File with the certificate of a client bundle (C(cert.pem)).
      - Environment variable E(UCP_CLIENT_CERT).
    type: path
  client_key:
    description:
      - File with its private key (C(key.pem)).
      - Environment variable E(UCP_CLIENT_KEY).
    type: path
  validate_certs:
    description:
      - Whether the server's certificate is verified. V(false) lets anyone in between read the credentials; the module warns at each run.
      - Environment variable E(UCP_VALIDATE_CERTS).
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for a connection and for each next part of an answer.
      - Environment variable E(UCP_TIMEOUT).
    type: int
    default: 30
  retries:
    description:
      - How often a request is tried again, with growing pauses, after a broken connection or one of the answers 429, 502, 503 and 504.
        Requests that would do something twice are repeated only when the server says that it did not begin. Five tries take some 15
        seconds, more where the server asks for longer pauses, of which each is cut to a minute.
      - Environment variable E(UCP_RETRIES).
    type: int
    default: 5
  threads:
    description: How many requests are under way at the same time, at the most.
    type: int
    default: 8
attributes:
  action_group:
    description: Use C(group/dockyard.trusted_registry.ucp) in C(module_defaults) to set the options of the connection once.
    support: full
    membership:
      - dockyard.trusted_registry.ucp
  platform:
    description: Runs wherever the play runs it, usually on the controller; UCP is reached over HTTPS.
    platforms: posix
    support: full
requirements:
  - requests
notes:
  - Examples that show no options of the connection take them from C(module_defaults) or from the environment.
"""
