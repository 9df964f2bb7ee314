# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """What a registry service is to be."""

    DOCUMENTATION = r"""
options:
  service:
    description: Name of the systemd unit, without C(.service); also the name of the container when there is one.
    type: str
    default: distribution
  user:
    description: The service's user.
    type: str
    default: distribution
  group:
    description: The group that may read the configuration.
    type: str
    default: distribution
  config:
    description:
      - The text of the configuration file. C(@HTTP_SECRET_KEPT_ON_THIS_HOST@) in it stands for the secret in O(http_secret_path).
    type: str
    required: true
  config_path:
    description: Where it goes.
    type: path
    default: /etc/distribution/config.yml
  secrets:
    description: Values that must not appear in any output, such as the service's log lines.
    type: list
    elements: str
    default: []
  http_secret_path:
    description: Where a secret made on this host is kept.
    type: path
    default: /etc/distribution/http_secret
  htpasswd_path:
    description: The file of users. Only its owner and mode are looked at.
    type: path
    default: /etc/distribution/htpasswd
  unit:
    description: The text of the systemd unit. C(@USER_IDS@) in it stands for the numbers of O(user) and its group.
    type: str
    required: true
  executable:
    description: The binary that the service runs; empty when it runs a container.
    type: str
    default: ""
  link:
    description: A symbolic link that selects the binary; empty for none.
    type: str
    default: ""
  link_target:
    description: What O(link) is to point to.
    type: str
    default: ""
  container_image:
    description: The image that the service runs; empty when it runs a binary.
    type: str
    default: ""
  store:
    description: The directory of a filesystem store; empty for any other store.
    type: str
    default: ""
  watched:
    description:
      - Files that the registry reads once, when it starts. The unit records their digests at each start in
        C(/run/SERVICE/loaded); a difference means that a restart is needed.
    type: list
    elements: path
    default: []
  health:
    description: Where the registry answers, and what it should answer.
    type: dict
    required: true
    suboptions:
      address:
        description: The address to connect to.
        type: str
        default: 127.0.0.1
      port:
        description: The port to connect to.
        type: int
        default: 5000
      name:
        description: The name clients use, sent with the TLS handshake.
        type: str
        default: ""
      prefix:
        description: The path that C(v2/) follows.
        type: str
        default: /
      tls:
        description: Whether it answers with TLS.
        type: bool
        default: true
      certificate:
        description: The PEM file whose first certificate it should serve; empty to accept any.
        type: str
        default: ""
      mutual_tls:
        description: Whether it should refuse a client without a certificate.
        type: bool
        default: false
      expected:
        description: The HTTP status of C(/v2/) without credentials, V(401) with authentication and V(200) without.
        type: int
        default: 401
      debug:
        description: Address of the debug listener, when there is one.
        type: str
        default: ""
"""
