# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which command takes which option, as data (UCP docs: reference of the command line)."""

from __future__ import annotations

import dataclasses

INSTALL, IMAGES, BACKUP, RESTORE, UPGRADE, UNINSTALL = "install", "images", "backup", "restore", "upgrade", "uninstall-ucp"
DUMP_CERTS, ID, SUPPORT, EXAMPLE, PORT_CHECK = "dump-certs", "id", "support", "example-config", "port-check-server"
COMMANDS = {
    INSTALL: "Install UCP on this node",
    IMAGES: "Verify the UCP images on this node",
    BACKUP: "Create a backup of a UCP manager node",
    RESTORE: "Restore a UCP cluster from a backup",
    UPGRADE: "Upgrade the UCP cluster",
    UNINSTALL: "Uninstall UCP from this swarm",
    DUMP_CERTS: "Print the public certificates used by this UCP web server",
    ID: "Print the ID of UCP running on this node",
    SUPPORT: "Create a support dump for this UCP node",
    EXAMPLE: "Display an example configuration file for UCP",
    PORT_CHECK: "Check the suitability of the node for a UCP installation",
}
DEPRECATED = ("stop", "restart")   # UCP release notes 3.2.0
# Seen without the socket and without a name in the documents' own examples.
FREE_STANDING = (IMAGES, EXAMPLE, PORT_CHECK)
PULLING = (INSTALL, IMAGES, UNINSTALL, UPGRADE)
INTERACTIVE = (INSTALL, BACKUP, RESTORE, UNINSTALL, UPGRADE)
LOGGING = tuple(command for command in COMMANDS if command != EXAMPLE)
JSON_LOGGING = tuple(command for command in LOGGING if command != PORT_CHECK)


@dataclasses.dataclass(frozen=True)
class Flag:
    """`kind` names the check in checks.py; "bool" takes no value but with `=`. `env`: the documents print names for install only, and
    upgrade takes the administrator's as well. `many`: may be repeated, the value is a list. `emulated` False: taken, without effect.
    """

    name: str
    kind: str
    commands: tuple
    summary: str
    env: str = ""
    short: str = ""
    many: bool = False
    default: object = None
    emulated: bool = True


def _not_emulated(name: str, kind: str, summary: str, **more) -> Flag:
    return Flag(name, kind, (INSTALL,), summary, emulated=False, **more)


FLAGS = (
    Flag("debug", "bool", LOGGING, "Enable debug mode", short="D"),
    Flag("jsonlog", "bool", JSON_LOGGING, "Produce json formatted output for easier parsing"),
    Flag("interactive", "bool", INTERACTIVE, "Run in interactive mode and prompt for configuration values", short="i"),
    Flag("admin-username", "text", (INSTALL, UPGRADE), "The UCP administrator username", env="UCP_ADMIN_USER"),
    Flag("admin-password", "text", (INSTALL, UPGRADE), "The UCP administrator password", env="UCP_ADMIN_PASSWORD"),
    Flag("host-address", "text", (INSTALL, RESTORE, UPGRADE), "The address to advertise to other nodes: an IP address or an interface",
         env="UCP_HOST_ADDRESS"),
    Flag("data-path-addr", "text", (INSTALL, RESTORE), "Address or interface to use for data path traffic", env="UCP_DATA_PATH_ADDR"),
    Flag("san", "name", (INSTALL, RESTORE), "Add a subject alternative name to certificates", env="UCP_HOSTNAMES", many=True),
    Flag("license", "text", (INSTALL,), "Add a license: the content of its file, not its path", env="UCP_LICENSE"),
    Flag("controller-port", "port", (INSTALL,), "Port for the web UI and API", default=443),
    Flag("swarm-port", "port", (INSTALL,), "Port for the Docker Swarm manager; used for backwards compatibility", default=2376),
    Flag("swarm-grpc-port", "port", (INSTALL, RESTORE), "Port for communication between nodes", default=2377),
    Flag("kube-apiserver-port", "port", (INSTALL,), "Port for the Kubernetes API server", default=6443),
    _not_emulated("nodeport-range", "ports", "Allowed port range for Kubernetes services of type NodePort", default="32768-35535"),
    _not_emulated("pod-cidr", "network", "Kubernetes cluster IP pool for the pods", default="192.168.0.0/16"),
    _not_emulated("service-cluster-ip-range", "network", "Kubernetes cluster IP range for services", default="10.96.0.0/16"),
    _not_emulated("cloud-provider", "text", "The cloud provider for the cluster"),
    _not_emulated("azure-ip-count", "number", "Number of IP addresses to be provisioned for each Azure virtual machine", default=128),
    _not_emulated("cni-installer-url", "text", "A URL of a Kubernetes YAML file to be used for installing a CNI plugin"),
    _not_emulated("unmanaged-cni", "bool", "The CNI provider is not managed by UCP"),
    Flag("dns", "text", (INSTALL,), "Set custom DNS servers for the UCP containers", env="DNS", many=True),
    Flag("dns-opt", "text", (INSTALL,), "Set DNS options for the UCP containers", env="DNS_OPT", many=True),
    Flag("dns-search", "text", (INSTALL,), "Set custom DNS search domains for the UCP containers", env="DNS_SEARCH", many=True),
    _not_emulated("kv-timeout", "number", "Timeout in milliseconds for the key-value store", env="KV_TIMEOUT", default=5000),
    _not_emulated(
        "kv-snapshot-count", "number", "Number of changes between key-value store snapshots", env="KV_SNAPSHOT_COUNT", default=20000),
    Flag("unlock-key", "text", (INSTALL, RESTORE), "The unlock key for this swarm cluster", env="UNLOCK_KEY", emulated=False),
    Flag("external-server-cert", "bool", (INSTALL,), "Use the certificates in the volume ucp-controller-server-certs"),
    _not_emulated("external-service-lb", "text", "IP address of the load balancer that published services are reached at"),
    Flag("preserve-certs", "bool", (INSTALL,), "Do not generate certificates if they already exist"),
    Flag("existing-config", "bool", (INSTALL,), "Use the latest existing UCP configuration: the swarm config com.docker.ucp.config"),
    Flag("force-minimums", "bool", (INSTALL, RESTORE, UPGRADE), "Force the run even if the system does not meet the minimum requirements"),
    _not_emulated("force-insecure-tcp", "bool", "Force install to continue even with unauthenticated Docker Engine ports"),
    _not_emulated("skip-cloud-provider-check", "bool", "Leave out the checks that find out which cloud the cluster runs on"),
    Flag("disable-tracking", "bool", (INSTALL,), "Disable anonymous tracking and analytics"),
    Flag("disable-usage", "bool", (INSTALL,), "Disable anonymous usage reporting"),
    _not_emulated("enable-profiling", "bool", "Enable performance profiling"),
    _not_emulated("binpack", "bool", "Set the Docker Swarm scheduler to binpack mode; used for backwards compatibility"),
    _not_emulated("random", "bool", "Set the Docker Swarm scheduler to random mode; used for backwards compatibility"),
    _not_emulated("swarm-experimental", "bool", "Enable Docker Swarm experimental features; used for backwards compatibility"),
    _not_emulated("secure-overlay", "bool", "Enable IPSec network encryption in Kubernetes"),
    _not_emulated("storage-expt-enabled", "bool", "Enable experimental features in Kubernetes storage"),
    _not_emulated("storage-iscsi", "bool", "Enable iSCSI based persistent volumes in Kubernetes"),
    _not_emulated("iscsiadm-path", "text", "Path of the host's iscsiadm", default="/usr/sbin/iscsiadm"),
    _not_emulated("iscsidb-path", "text", "Path of the host's iscsi database", default="/etc/iscsi"),
    Flag("pull", "pull", PULLING, "Pull UCP images: 'always', when 'missing', or 'never'", default="missing"),
    Flag("registry-username", "text", PULLING, "Username to use when pulling images", env="REGISTRY_USERNAME"),
    Flag("registry-password", "text", PULLING, "Password to use when pulling images", env="REGISTRY_PASSWORD"),
    Flag("list", "bool", (IMAGES,), "List all images used by UCP but do not pull them"),
    Flag("enable-windows", "bool", (IMAGES,), "With --list: the images for Windows nodes as well"),
    Flag("listen-address", "listen", (PORT_CHECK,), "Listen address", short="l", default=":2376"),
    Flag("file", "text", (BACKUP,), "Name of the file to write the backup to, in a folder mounted at /backup; ignored in interactive mode"),
    Flag("include-logs", "bool", (BACKUP,), "With --file: write the log beside the backup", default=True),
    Flag("passphrase", "text", (BACKUP, RESTORE), "Encrypt or decrypt the backup with this passphrase"),
    Flag("no-passphrase", "bool", (BACKUP,), "Opt out of encrypting the backup (not recommended)"),
    Flag("force", "bool", (RESTORE,), "Restore a backup of another version"),
    Flag("id", "text", (UNINSTALL, UPGRADE), "The ID of the UCP instance"),
    Flag("purge-config", "bool", (UNINSTALL,), "Remove UCP configs during uninstallation"),
    Flag("manual-worker-upgrade", "bool", (UPGRADE,), "Do not upgrade workers: they get the label com.docker.ucp.upgrade-hold"),
    Flag("ca", "bool", (DUMP_CERTS,), "Only print the contents of the ca.pem file"),
    Flag("cluster", "bool", (DUMP_CERTS,), "Print the internal UCP swarm root CA and cert instead of the public server cert"),
    # Another stored revision of the support page lists these three (field observation).
    Flag("loglines", "number", (SUPPORT,), "Number of lines of each log", default=10000),
)


def of(command: str) -> list[Flag]:
    return [flag for flag in FLAGS if command in flag.commands]
