# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which command takes which option, as data (DTR docs: reference of the command line).

A value comes from the option, else from the variable; which of the two wins is not documented.
"""

from __future__ import annotations

import dataclasses

INSTALL, JOIN, RECONFIGURE, REMOVE, DESTROY = "install", "join", "reconfigure", "remove", "destroy"
BACKUP, RESTORE, UPGRADE, IMAGES, REPAIR = "backup", "restore", "upgrade", "images", "emergency-repair"
COMMANDS = {
    INSTALL: "Install Docker Trusted Registry",
    JOIN: "Add a new replica to an existing DTR cluster",
    RECONFIGURE: "Change DTR configurations",
    REMOVE: "Remove a DTR replica from a cluster",
    DESTROY: "Destroy a DTR replica's data",
    RESTORE: "Install DTR from an existing backup",
    BACKUP: "Create a backup of DTR",
    UPGRADE: "Upgrade DTR cluster to this image's version",
    IMAGES: "List all the images necessary to install DTR",
    REPAIR: "Recover DTR from loss of quorum",
}
CONNECTED = tuple(command for command in COMMANDS if command != IMAGES)
SETTERS = (INSTALL, RECONFIGURE, RESTORE)
PORTS = (INSTALL, JOIN, RECONFIGURE, RESTORE)
EXISTING = (JOIN, RECONFIGURE, REMOVE, BACKUP, UPGRADE, REPAIR)


@dataclasses.dataclass(frozen=True)
class Flag:
    """`kind` names the check in checks.py; "bool" alone takes no value of its own. `required`: in every command that has it."""

    name: str
    env: str
    kind: str
    commands: tuple
    summary: str
    required: bool = False
    unless: str = ""  # another flag that makes this one superfluous
    secret: bool = False
    aliases: tuple = ()
    more: str = ""    # printed by the extended help only

    @property
    def switch(self) -> bool:
        return self.kind == "bool"


FLAGS = (
    Flag("ucp-url", "UCP_URL", "ucp_url", CONNECTED, "The UCP URL including domain and port", required=True),
    Flag("ucp-username", "UCP_USERNAME", "text", CONNECTED, "The UCP administrator username", required=True),
    Flag("ucp-password", "UCP_PASSWORD", "text", CONNECTED, "The UCP administrator password", required=True, secret=True),
    Flag(
        "ucp-ca", "UCP_CA", "certificates", CONNECTED, "The CA certificate of UCP, as PEM text",
        more="Download it from https://<ucp-url>/ca and give its content: --ucp-ca \"$(cat ca.pem)\".",
    ),
    Flag(
        "ucp-insecure-tls", "UCP_INSECURE_TLS", "bool", CONNECTED, "Do not verify UCP's certificate",
        more="Anybody between here and UCP can then read and change what is sent; not for production.",
    ),
    Flag(
        "ucp-node", "UCP_NODE", "text", (INSTALL, JOIN, RESTORE), "The host name of the UCP node to put the replica on",
        more="A random node is taken without it.",
    ),
    Flag(
        "replica-id", "DTR_INSTALL_REPLICA_ID", "replica", (INSTALL, JOIN, RESTORE), "The ID of the new replica",
        more="12 hexadecimal characters; random without it.",
    ),
    Flag("replica-id", "DTR_REMOVE_REPLICA_ID", "replicas", (REMOVE,), "Deprecated: use --replica-ids"),
    Flag("replica-id", "DTR_DESTROY_REPLICA_ID", "replica", (DESTROY,), "The ID of the replica to destroy", required=True),
    Flag(
        "replica-ids", "DTR_REMOVE_REPLICA_IDS", "replicas", (REMOVE,), "The IDs of the replicas to remove, separated by commas",
        required=True, unless="replica-id",
    ),
    Flag("existing-replica-id", "DTR_REPLICA_ID", "replica", EXISTING, "The ID of an existing DTR replica", required=True),
    Flag(
        "unsafe-join", "DTR_UNSAFE_JOIN", "bool", (JOIN,), "Join although the cluster is unhealthy",
        more="Both halves of a divided cluster may then go on by themselves, and data is lost; not for production.",
    ),
    Flag(
        "skip-network-test", "DTR_SKIP_NETWORK_TEST", "bool", (JOIN,), "Do not test the overlay network between the nodes",
        more="Not for production.",
    ),
    Flag("overlay-subnet", "DTR_OVERLAY_SUBNET", "subnet", (INSTALL, REPAIR), "The subnet of the overlay network dtr-ol: 10.0.0.0/24"),
    Flag("prune", "PRUNE", "bool", (REPAIR,), "Delete the data volumes of all other replicas as well"),
    Flag("y", "YES", "bool", (REPAIR,), "Answer yes to any prompt", aliases=("yes",)),
    Flag(
        "offline-backup", "DTR_OFFLINE_BACKUP", "bool", (BACKUP,), "Stop the replica's database while it is copied",
        more="The backup is consistent then. Take the replica out of the load balancer before.",
    ),
    Flag(
        "dtr-external-url", "DTR_EXTERNAL_URL", "external_url", SETTERS, "The URL under which clients reach DTR: https://host[:port]",
        more="It enables single sign-on with UCP and makes the swarm's nodes trust DTR's CA.",
    ),
    Flag("dtr-ca", "DTR_CA", "certificates", SETTERS, "The root CA of DTR's certificate, as PEM text"),
    Flag("dtr-cert", "DTR_CERT", "certificates", SETTERS, "DTR's certificate followed by intermediate ones, as PEM text"),
    Flag("dtr-key", "DTR_KEY", "key", SETTERS, "The private key of DTR's certificate, as PEM text", secret=True),
    Flag(
        "enable-client-cert-auth", "ENABLE_CLIENT_CERT_AUTH", "bool", (INSTALL, RECONFIGURE), "Let users sign in with client certificates",
        more="Use --enable-client-cert-auth=false to disable it.",
    ),
    Flag("client-cert-auth-ca", "CLIENT_CA", "certificates", (INSTALL, RECONFIGURE), "The CAs of the client certificates, as PEM text"),
    Flag("dtr-storage-volume", "DTR_STORAGE_VOLUME", "volume", SETTERS, "The volume, or the path on the node, that holds the images"),
    Flag(
        "nfs-storage-url", "NFS_STORAGE_URL", "nfs_url", SETTERS, "The NFS share that holds the images: nfs://<host>/<mountpoint>",
        more="With reconfigure, an empty value takes NFS out of use again.",
    ),
    Flag("async-nfs", "ASYNC_NFS", "bool", (INSTALL, RECONFIGURE), "Use options for asynchronous NFS; needs --nfs-storage-url"),
    Flag("nfs-options", "NFS_OPTIONS", "text", (INSTALL, RECONFIGURE), "NFS options, used word for word; needs --nfs-storage-url"),
    Flag(
        "storage-migrated", "STORAGE_MIGRATED", "bool", (RECONFIGURE,), "The images were copied to the new storage already",
        more="Without it, another storage means that all tags are erased.",
    ),
    Flag("dtr-use-default-storage", "DTR_DEFAULT_STORAGE", "bool", (RESTORE,), "Use the storage of the backup: cloud, else local"),
    Flag("http-proxy", "DTR_HTTP_PROXY", "proxy", SETTERS, "The HTTP proxy for outgoing requests"),
    Flag("https-proxy", "DTR_HTTPS_PROXY", "proxy", SETTERS, "The HTTPS proxy for outgoing requests"),
    Flag("no-proxy", "DTR_NO_PROXY", "text", SETTERS, "Hosts that are reached without the proxy: acme.com[, acme.org]"),
    Flag("log-protocol", "LOG_PROTOCOL", "log_protocol", SETTERS, "The protocol of the log server: tcp, udp or internal"),
    Flag("log-host", "LOG_HOST", "text", SETTERS, "The syslog server; needs --log-protocol"),
    Flag("log-level", "LOG_LEVEL", "log_level", SETTERS, "The containers' log level: debug, info, warn, error or fatal"),
    Flag("replica-http-port", "REPLICA_HTTP_PORT", "port", PORTS, "The replica's HTTP port on its node (80)"),
    Flag("replica-https-port", "REPLICA_HTTPS_PORT", "port", PORTS, "The replica's HTTPS port on its node (443)"),
    Flag(
        "replica-rethinkdb-cache-mb", "RETHINKDB_CACHE_MB", "cache", PORTS, "The replica's database cache in MB, or auto",
        more="auto is (available memory - 1024) / 2.",
    ),
    Flag(
        "enable-pprof", "DTR_PPROF", "bool", SETTERS, "Serve profiles of the server below /debug/pprof",
        more="Use --enable-pprof=false to disable it.",
    ),
    Flag("debug", "DEBUG", "bool", CONNECTED, "Log more"),
    Flag("help-extended", "DTR_EXTENDED_HELP", "bool", CONNECTED, "Print the longer help"),
)


def of(command: str) -> list:
    """The flags that the command takes, in the order of the help."""
    return [flag for flag in FLAGS if command in flag.commands]
