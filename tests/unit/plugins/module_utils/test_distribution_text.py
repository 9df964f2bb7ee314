# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_text import blanked, config_diff

TEXT = """\
http:
  addr: :5000
  secret: hunter2
  tls:
    key: /etc/key.pem
storage:
  s3:
    accesskey: hunter2
    "secretkey": 'hunter2'
    region: us-east-1
redis:
  password: |
    hunter2
  db: 1
notifications:
  endpoints:
  - name: x
    url: https://user:hunter2@host/events
    headers:
      Authorization:
      - Bearer hunter2
      Accept: [a]
  - password: hunter2
    name: y
"""


def test_no_secret_is_left_and_the_rest_is():
    text = blanked(TEXT)
    assert "hunter2" not in text
    for kept in ("addr: :5000", "key: /etc/key.pem", "region: us-east-1", "db: 1", "Accept: [a]", "name: y", "https://user:********@host"):
        assert kept in text


def test_diff_says_when_only_a_secret_differs():
    diff = config_diff(TEXT, TEXT.replace("hunter2", "hunter3"), "/etc/config.yml")
    assert "hunter" not in str(diff)
    assert diff["after"] == diff["before"] + "# only secret values differ\n"


def test_no_difference_is_no_difference():
    diff = config_diff(TEXT, TEXT, "/etc/config.yml")
    assert diff["before"] == diff["after"]
