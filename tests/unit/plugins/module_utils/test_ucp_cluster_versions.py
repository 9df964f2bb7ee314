# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dockyard.trusted_registry.plugins.filter.product_image import product_image
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster_versions as versions


@pytest.mark.parametrize(("product", "version", "image"), [
    ("ucp", "3.1.9", "docker/ucp:3.1.9"), ("ucp", "3.2.5", "docker/ucp:3.2.5"), ("ucp", "3.2.8", "mirantis/ucp:3.2.8"),
    ("ucp", "3.3.1", "docker/ucp:3.3.1"), ("ucp", "3.3.7", "mirantis/ucp:3.3.7"), ("ucp", "3.7.2", "mirantis/ucp:3.7.2"),
    ("dtr", "2.7.6", "docker/dtr:2.7.6"), ("dtr", "2.7.8", "mirantis/dtr:2.7.8"), ("dtr", "2.8.1", "docker/dtr:2.8.1"),
    ("dtr", "2.8.5", "mirantis/dtr:2.8.5"), ("dtr", "2.9.4", "mirantis/dtr:2.9.4"),
])
def test_the_vendors_name_follows_from_the_version(product, version, image):
    assert product_image(product, version) == image
    assert product_image(product, version, "r.example.com:5000/mirror/") == "r.example.com:5000/mirror/" + image


@pytest.mark.parametrize(("product", "version"), [("uct", "3.2.5"), ("ucp", "3.2"), ("ucp", "")])
def test_what_is_no_product_and_no_version_is_told(product, version):
    with pytest.raises(AnsibleFilterError, match="product_image"):
        product_image(product, version)


@pytest.mark.parametrize(("current", "wanted", "problem"), [
    ("3.2.5", "3.2.5", ""), ("3.2.4", "3.2.5", ""), ("3.2.5", "3.3.7", ""), ("2.2.9", "3.0.1", ""), ("3.6.1", "3.7.0", ""),
    ("3.2.5", "3.2.4", "cannot go back"), ("3.3.7", "3.2.5", "cannot go back"),
    ("3.1.9", "3.3.7", "upgrade to 3.2, then 3.3"), ("2.2.1", "3.2.5", "3.0, then 3.1, then 3.2"),
    ("3.7.1", "4.0.0", "not documented"), ("", "3.2.5", "no versions"), ("3.2.5", "latest", "no versions"),
])
def test_the_upgrade_path(current, wanted, problem):
    found = versions.upgrade_problem(current, wanted)
    assert problem in found and bool(problem) == bool(found)
