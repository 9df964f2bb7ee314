# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that hold between values of one command line; each raises `Fatal`. Where the documents are silent, see lab/README.md."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ..tls import certificates_of, public_pem
from . import flags
from .errors import Fatal

STORAGE = ("dtr-use-default-storage", "dtr-storage-volume", "nfs-storage-url")


def check(command: str, values: dict) -> None:
    for rule in RULES:
        rule(command, values)


def _storage(command: str, values: dict) -> None:
    """Release notes 2.6.0: restore has to name a storage. DTR docs: the NFS flag is used instead of the volume's."""
    chosen = [name for name in STORAGE if values.get(name)]
    if command == flags.RESTORE and not chosen:
        raise Fatal("A storage flag is required to restore: give one of --dtr-use-default-storage, --dtr-storage-volume, --nfs-storage-url")
    if len(chosen) > 1:
        raise Fatal(f"--{chosen[0]} and --{chosen[1]} exclude each other: give one of them")
    if values.get("nfs-storage-url") == {} and command != flags.RECONFIGURE:
        raise Fatal("--nfs-storage-url is empty: only reconfigure takes NFS out of use with it")


def _nfs(command: str, values: dict) -> None:
    for name in ("async-nfs", "nfs-options"):
        if values.get(name) and not values.get("nfs-storage-url"):
            raise Fatal(f"--{name} requires --nfs-storage-url")
    if values.get("async-nfs") and values.get("nfs-options"):
        raise Fatal("--async-nfs and --nfs-options exclude each other: add async to the options")


def _log(command: str, values: dict) -> None:
    """Release notes 2.5.0."""
    if values.get("log-host") and not values.get("log-protocol"):
        raise Fatal("--log-host requires --log-protocol")


def _ports(command: str, values: dict) -> None:
    http, https = values.get("replica-http-port", 80), values.get("replica-https-port", 443)
    if command != flags.RECONFIGURE and http == https:
        raise Fatal(f"--replica-http-port and --replica-https-port are both {http}: they have to differ")


def _pair(command: str, values: dict) -> None:
    certificate, key = values.get("dtr-cert"), values.get("dtr-key")
    if bool(certificate) != bool(key):
        given, missing = ("dtr-cert", "dtr-key") if certificate else ("dtr-key", "dtr-cert")
        raise Fatal(f"--{given} is given without --{missing}: they have to be given together")
    if values.get("dtr-ca") and not certificate:
        raise Fatal("--dtr-ca is given without --dtr-cert and --dtr-key: the three have to be given together")
    if certificate and public_pem(_private(key).public_key()) != public_pem(_leaf(certificate).public_key()):
        raise Fatal("--dtr-key is not the key of the first certificate in --dtr-cert: put DTR's own certificate first, "
                    "then intermediate ones")


def _leaf(certificate: str) -> x509.Certificate:
    return certificates_of(certificate)[0]


def _private(key: str):
    return serialization.load_pem_private_key(key.encode(), None)


def _clients(command: str, values: dict) -> None:
    if command == flags.INSTALL and values.get("enable-client-cert-auth") and not values.get("client-cert-auth-ca"):
        raise Fatal("--enable-client-cert-auth requires --client-cert-auth-ca")


def _removed(command: str, values: dict) -> None:
    if command != flags.REMOVE:
        return
    if values.get("replica-id") and values.get("replica-ids"):
        raise Fatal("--replica-id is the old name of --replica-ids: give only --replica-ids")
    leaving = values.get("replica-ids") or values["replica-id"]
    if values.get("existing-replica-id") in leaving:
        raise Fatal(f"Replica {values['existing-replica-id']} cannot be both the one that stays (--existing-replica-id) and one to remove")


def _joined(command: str, values: dict) -> None:
    if command == flags.JOIN and values.get("replica-id") and values["replica-id"] == values.get("existing-replica-id"):
        raise Fatal(f"--replica-id {values['replica-id']} is the existing replica's: give the new replica an ID of its own")


RULES = (_storage, _nfs, _log, _ports, _pair, _clients, _removed, _joined)
