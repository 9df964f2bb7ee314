# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles, thresholds and what follows from them for the probe."""

from __future__ import annotations

import re

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.filter.preflight import (
    FilterModule,
    preflight_declare,
    preflight_probe_arguments,
)
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import CHECKS, derive_profiles, lineage, merge
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import (
    format_size,
    most_common,
    parse_size,
    parse_version,
)
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.preflight_hosts import catalogue, declare

GROUPS = {"ucp_managers": "ucp_manager", "dtr_replicas": "dtr", "registries": "distribution"}


def errors(**declared):
    return preflight_declare(catalogue(), profiles=declared.pop("profiles", ["distribution"]), **declared)["errors"]


@pytest.mark.parametrize(
    "text,size",
    [("16 GiB", 16 * 1024**3), ("500 MB", 500_000_000), ("1.5kB", 1500), (4096, 4096), ("4096", 4096), ("1 B", 1)],
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["16 Gb", "much", "", True, "-1 GB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_sizes_are_written():
    assert (format_size(15.6 * 1024**3), format_size(16 * 1024**3), format_size(25_000_000_000, False)) == ("15.6 GiB", "16 GiB", "25 GB")


@pytest.mark.parametrize(
    "text,version",
    [("20.10.24+dfsg1", (20, 10, 24)), ("3.10.0-1160.el7.x86_64", (3, 10, 0)), ("v1.2", (1, 2)), (19.03, (19, 3))],
)
def test_versions_are_read(text, version):
    assert parse_version(text) == version


def test_what_most_have_does_not_hang_on_the_order():
    assert most_common([1400, 1500]) == most_common([1500, 1400]) == 1500


def test_merge_goes_to_every_depth_and_null_removes():
    base = {"memory": {"minimum": 1, "recommended": 2}, "swap": {"level": "warn"}}
    assert merge(base, {"memory": {"recommended": None, "tolerance": 5}, "swap": None}) == {"memory": {"minimum": 1, "tolerance": 5}}
    assert base["memory"] == {"minimum": 1, "recommended": 2}


@pytest.mark.parametrize(
    "groups,profiles",
    [
        (["ucp_managers"], ["ucp_manager"]),
        (["dtr_replicas", "ucp_managers"], ["ucp_manager", "dtr"]),
        (["backup_hosts"], ["linux_host"]),
        ([], ["linux_host"]),
    ],
)
def test_profiles_follow_from_groups(groups, profiles):
    assert derive_profiles(groups, GROUPS) == profiles
    declared = preflight_declare(catalogue(), group_names=groups, group_profiles=GROUPS)
    assert list(declared["profiles"]) == profiles


def test_declared_profiles_win_over_groups():
    declared = preflight_declare(catalogue(), group_names=["registries"], group_profiles=GROUPS, profiles="dtr, ucp_worker")
    assert list(declared["profiles"]) == ["dtr", "ucp_worker"]


def test_scanning_doubles_memory_and_is_dtr_otherwise():
    plain, scanning = declare(["dtr"])["profiles"]["dtr"], declare(["dtr_scanning"])["profiles"]["dtr_scanning"]
    assert (plain["memory"]["minimum"], scanning["memory"]["minimum"]) == ("16 GiB", "32 GiB")
    assert {**scanning, "memory": None} == {**plain, "memory": None}
    assert lineage(catalogue(), "dtr_scanning") == ["base", "ucp_node", "dtr", "dtr_scanning"]


def test_thresholds_reach_the_profiles_that_extend():
    declared = declare(["dtr", "ucp_worker"], thresholds={"ucp_node": {"swap": None}, "dtr": {"disk": {"engine": {"minimum": "80 GB"}}}})
    assert all("swap" not in profile for profile in declared["profiles"].values())
    assert declared["profiles"]["dtr"]["disk"]["engine"] == {"path": "/var/lib/docker", "minimum": "80 GB", "recommended": "25 GB"}
    assert declared["profiles"]["ucp_worker"]["disk"]["engine"]["minimum"] == "500 MB"


def test_every_profile_of_the_catalogue_is_sound():
    assert errors(profiles=list(catalogue()), thresholds=catalogue()) == [
        f"preflight_thresholds.{name}: there is no check 'extends'; choose from " + ", ".join(CHECKS)
        for name in catalogue()
        if "extends" in catalogue()[name]
    ]
    assert errors(profiles=list(catalogue())) == []


@pytest.mark.parametrize(
    "declared,message",
    [
        ({"profiles": ["distributon"]}, r"preflight_profiles: there is no profile 'distributon'; choose from .*distribution"),
        ({"waive": ["ram"]}, r"preflight_waive: there is no check 'ram'; choose from memory"),
        ({"waive": ["port:5000/tcp"]}, r"preflight_waive: there is no check 'port:5000/tcp'"),
        ({"thresholds": {"registry": {}}}, r"preflight_thresholds.registry: there is no profile 'registry'"),
        ({"thresholds": {"dtr": ["memory"]}}, r"preflight_thresholds.dtr is \['memory'\]; write a dictionary"),
        ({"thresholds": {"dtr": {"ram": {}}}}, r"preflight_thresholds.dtr: there is no check 'ram'"),
        ({"thresholds": {"dtr": {"memory": "16 GB"}}}, r"preflight_thresholds.dtr.memory is '16 GB'; write a dictionary of minimum"),
        ({"thresholds": {"dtr": {"memory": {"min": "1 GB"}}}}, r"dtr.memory has no parameter 'min'; it takes minimum"),
        ({"thresholds": {"dtr": {"memory": {"minimum": "16 Gb"}}}}, r"dtr.memory.minimum: '16 Gb' is not a size"),
        ({"thresholds": {"dtr": {"cpus": {"minimum": "two"}}}}, r"dtr.cpus.minimum: 'two' is not a number"),
        ({"thresholds": {"dtr": {"swap": {"level": "refuse"}}}}, r"dtr.swap.level: 'refuse' is not a level; choose warn or fail"),
        ({"thresholds": {"dtr": {"kernel": {"minimum": "new"}}}}, r"dtr.kernel.minimum: 'new' is not a version"),
        ({"thresholds": {"dtr": {"disk": "10 GB"}}}, r"dtr.disk is '10 GB'; write a dictionary"),
        ({"thresholds": {"distribution": {"disk": {"cache": {"minimum": 1}}}}}, r"distribution.disk.cache names no path"),
        ({"thresholds": {"distribution": {"images": {"ucp": {"level": "fail"}}}}}, r"distribution.images.ucp names no tool"),
        ({"thresholds": {"distribution": {"images": {"msr": {"tool": "msr"}}}}}, r"distribution.images.msr: there is no such product"),
        ({"thresholds": {"distribution": {"images": {"ucp": {"tool_only": "no"}}}}}, r"'no' is neither true nor false"),
        ({"thresholds": {"distribution": {"ports": {"web": {"from": []}}}}}, r"distribution.ports.web names no port"),
        ({"thresholds": {"distribution": {"ports": {"web": {"port": 70000}}}}}, r"ports.web.port: 70000 is not a port"),
        ({"thresholds": {"distribution": {"ports": {"web": {"port": 80, "protocol": "http"}}}}}, r"'http' is neither tcp nor udp"),
        ({"thresholds": {"dtr": {"address_pools": {"pods": {"cidr": "10.0.0.1/8"}}}}}, r"pods.cidr: 10.0.0.1/8 has host bits set"),
        ({"thresholds": {"distribution": {"address_pools": {"own": {"level": "warn"}}}}}, r"address_pools.own names no network"),
        ({"thresholds": {"distribution": {"storage_driver": {"supported": ["vfs"]}}}}, r"distribution.storage_driver lacks tolerated"),
    ],
)
def test_mistakes_are_named(declared, message):
    found = errors(**declared)
    assert len(found) == 1, found
    assert re.search(message, found[0])


def test_the_probe_looks_at_what_the_profiles_need():
    declarations = {
        "registry-1": declare(["distribution"], "registry-1", "192.0.2.11"),
        "client-1": declare(["registry_client"], "client-1", "192.0.2.21"),
        "balancer-1": declare(["linux_host"], "192.0.2.31", "192.0.2.31"),
    }
    client = preflight_probe_arguments(declarations, "client-1")
    assert client == {
        "paths": ["/var/lib/docker"],
        "traces": [],
        "ports": [],
        "names": ["client-1", "registry-1"],
        "targets": ["192.0.2.11 5000"],
        "image_tools": [],
        "docker_root": "/var/lib/docker",
    }
    registry = preflight_probe_arguments(declarations, "registry-1")
    assert registry["ports"] == ["5000/tcp", "5001/tcp"]
    assert registry["targets"] == []
    assert registry["traces"] == ["/var/lib/distribution/docker/registry/v2/repositories"]
    # A name that is an address needs no resolving.
    assert preflight_probe_arguments(declarations, "balancer-1")["names"] == ["registry-1"]


def test_ways_within_a_cluster():
    declarations = {
        name: declare(profiles, name, name) for name, profiles in (("m", ["ucp_manager"]), ("d", ["ucp_worker", "dtr_scanning"]))
    }
    from_dtr = preflight_probe_arguments(declarations, "d")["targets"]
    assert {"m 443", "m 2377", "m 7946", "m 12388"} <= set(from_dtr)
    assert not {"m 6444", "m 9099", "m 12378", "m 4789"} & set(from_dtr), "ports of the same host, and UDP, are not tried"
    assert {"d 80", "d 443", "d 10250"} <= set(preflight_probe_arguments(declarations, "m")["targets"])


def test_the_tools_of_products_that_are_not_pulled_are_asked():
    declarations = {"m": declare(["ucp_manager"], "m"), "w": declare(["ucp_worker"], "w")}
    assert preflight_probe_arguments(declarations, "m")["image_tools"] == ["dtr docker/dtr:2.7.6", "ucp docker/ucp:3.2.5"]
    assert preflight_probe_arguments(declarations, "w")["image_tools"] == ["ucp docker/ucp:3.2.5"]
    pulled = {"w": declare(["ucp_worker"], "w", thresholds={"ucp_node": {"images": {"ucp": {"tool": ""}}}})}
    assert preflight_probe_arguments(pulled, "w")["image_tools"] == []


def test_a_store_elsewhere_needs_no_disk_here():
    declared = declare(["distribution"], thresholds={"distribution": {"disk": {"registry": {"path": ""}}}})
    assert preflight_probe_arguments({"one": declared}, "one")["paths"] == []


def test_the_filters_are_there():
    assert set(FilterModule().filters()) == {"preflight_declare", "preflight_probe_arguments"}
