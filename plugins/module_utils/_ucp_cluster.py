# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What to do with a cluster of Universal Control Plane, and the flags that do it. No I/O.

Sources: UCP docs, CLI reference (install, upgrade, uninstall-ucp), upgrade and uninstall pages.
"""

from __future__ import annotations

from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_versions import parsed, upgrade_problem

# action: none, install, upgrade, mend (remove what a killed installation left, then install), uninstall, clean
Step = namedtuple("Step", "action reason")

# Options of the module, in the order of the reference, by the flag that each becomes.
INSTALL_VALUES = (
    "host_address", "data_path_addr", "controller_port", "swarm_port", "swarm_grpc_port", "kube_apiserver_port", "nodeport_range",
    "pod_cidr", "service_cluster_ip_range", "cloud_provider", "cni_installer_url", "external_service_lb", "kv_timeout", "kv_snapshot_count",
)
INSTALL_SWITCHES = (
    "external_server_cert", "preserve_certs", "existing_config", "force_minimums", "skip_cloud_provider_check", "unmanaged_cni",
    "disable_tracking", "disable_usage",
)
INSTALL_LISTS = {"sans": "--san", "dns": "--dns", "dns_opt": "--dns-opt", "dns_search": "--dns-search"}
# By name in the environment: secrets, the administrator's name with them, and what is long.
INSTALL_ENVIRONMENT = {
    "admin_username": "UCP_ADMIN_USER", "admin_password": "UCP_ADMIN_PASSWORD", "license": "UCP_LICENSE", "unlock_key": "UNLOCK_KEY",
    "registry_username": "REGISTRY_USERNAME", "registry_password": "REGISTRY_PASSWORD",
}
UNINSTALL_ENVIRONMENT = {name: INSTALL_ENVIRONMENT[name] for name in ("registry_username", "registry_password")}
UPGRADE_ENVIRONMENT = {**UNINSTALL_ENVIRONMENT, **{name: INSTALL_ENVIRONMENT[name] for name in ("admin_username", "admin_password")}}
# Flags that are nobody's to add: the run cannot answer questions, its log would be parsed otherwise, or they have an option.
NOT_EXTRA = {
    "--interactive", "--id", "--license", "--purge-config", "--manual-worker-upgrade", "--debug", "--jsonlog", "--pull", "--admin-username",
    "--registry-username", *INSTALL_LISTS.values(), *("--" + name.replace("_", "-") for name in (*INSTALL_VALUES, *INSTALL_SWITCHES)),
}


class ClusterError(Exception):
    """Not possible as asked; one sentence, what to do included."""


def present_step(state, wanted, upgrade, host):
    """The Step to a running UCP of a version. state: of _ucp_cluster_state.observe, on a manager or on a host outside of any swarm."""
    if state["swarm"]["state"] == "active" and not state["swarm"]["manager"]:
        raise ClusterError(f"{host} is a worker of a swarm: UCP is installed and upgraded on a manager. Run this on one.")
    if state["leftovers"]:
        raise ClusterError(f"{host} is in no swarm, yet has parts of an earlier UCP ({', '.join(state['containers'])}): remove them with "
                           "the module ucp_leftovers, then run again.")
    if state["half_installed"]:
        return Step("mend", mendable(state, host))
    if not state["installed"]:
        return Step("install", f"there is no UCP on {host}")
    return running_step(state, wanted, upgrade)


def running_step(state, wanted, upgrade):
    """The Step for a UCP that is there."""
    found = sorted({text for text in state["versions"].values() if parsed(text)}, key=parsed)
    if found == [wanted] or not found:
        return Step("none", f"UCP {wanted} is installed")
    current = found[0]
    if not upgrade:
        mixed = f"UCP is {current}"
        if len(found) > 1:
            mixed = f"an upgrade to {found[-1]} that did not come to its end left {' and '.join(found)} side by side"
        raise ClusterError(f"{mixed}, and {wanted} is wanted: an installation does not change versions. Run the upgrade (playbook "
                           f"upgrade.yml), or set ucp_version to {found[-1]}.")
    problem = upgrade_problem(current, wanted) or (upgrade_problem(found[-1], wanted) if len(found) > 1 else "")
    if problem:
        raise ClusterError(problem)
    return Step("upgrade", f"UCP is {' and '.join(found)}")


def mendable(state, host):
    """Why a half-installed UCP may be removed; ClusterError when it may not.

    It may when nobody can have worked with it: no agents, so the installation never ended; no other node that could hold parts; no DTR.
    """
    parts = ", ".join(state["containers"] + [one["name"] for one in state["services"]])
    others = [node["hostname"] for node in state["nodes"] if node["id"] != state["swarm"]["node_id"]]
    if others or state["dtr_volumes"]:
        beside = f"nodes {', '.join(others)}" if others else f"volumes of DTR ({', '.join(state['dtr_volumes'][:3])})"
        raise ClusterError(f"{host} has parts of UCP ({parts}) without the services that keep them, and {beside} beside it: whether that "
                           "is an installation cut short or a damaged cluster cannot be told. Restore a backup, or remove UCP (module "
                           "ucp_cluster, state=absent), then run again.")
    return f"an installation that was cut off left {parts}"


def absent_step(state, host):
    """The Step to a swarm without UCP."""
    if state["swarm"]["state"] != "active":
        return Step("none", f"{host} is in no swarm")
    if not state["swarm"]["manager"]:
        raise ClusterError(f"{host} is a worker: UCP is removed from a manager, once for all nodes. Run this on one.")
    if state["installed"]:
        return Step("uninstall", f"UCP {state['version']} is on {len(state['nodes'])} nodes")
    if state["half_installed"]:
        return Step("clean", "parts of UCP are left")
    return Step("none", f"there is no UCP on {host}")


def refuse_unconfirmed(state, confirm, names, identity):
    """ClusterError unless the removal names its target, which lists what would be lost. names: by which the cluster may be named."""
    if confirm and confirm in [name for name in (*names, identity) if name]:
        return
    told = " or ".join(dict.fromkeys(name for name in (*names[:1], identity) if name))
    raise ClusterError(
        f"removing UCP takes it from {len(state['nodes'])} nodes ({', '.join(sorted(node['hostname'] for node in state['nodes']))}), with "
        "all accounts, organizations, teams, roles, grants, settings, certificates and client bundles; a DTR on them can be used by "
        f"nobody. The swarm and its services stay. To go on, set confirm to {told}. Nothing has been changed.")


def install_flags(params):
    """Arguments of install; whatever is secret is not among them."""
    words = [f"--{name.replace('_', '-')}={params[name]}" for name in INSTALL_VALUES if params.get(name) not in (None, "")]
    words += [f"--{name.replace('_', '-')}" for name in INSTALL_SWITCHES if params.get(name)]
    words += [f"{flag}={value}" for name, flag in INSTALL_LISTS.items() for value in params.get(name) or []]
    return [*words, *_common(params), *params.get("extra_args", [])]


def upgrade_flags(params, identity):
    words = [f"--id={identity}"]
    words += [f"--host-address={params['host_address']}"] if params.get("host_address") else []
    words += ["--manual-worker-upgrade"] if params.get("manual_worker_upgrade") else []
    words += ["--force-minimums"] if params.get("force_minimums") else []
    return [*words, *_common(params), *params.get("extra_args", [])]


def uninstall_flags(params, identity):
    words = [f"--id={identity}"] + (["--purge-config"] if params.get("purge_config") else [])
    return [*words, *_common(params), *params.get("extra_args", [])]


def environment(params, names):
    """{NAME: value} of those options that are given."""
    return {name: params[option] for option, name in names.items() if params.get(option)}


def _common(params):
    return [f"--pull={params['pull']}", *(["--debug"] if params.get("debug") else [])]
