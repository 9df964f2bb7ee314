# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small blocking client of etcd's version 3 API, through its JSON gateway (etcd 3.4 docs: gRPC gateway)."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from .ops import KeyValue, deleting, encoded, end_of, pair_of, putting, ranging

PAGE = 500             # keys a request of a long list brings
LEARN_SECONDS = 30.0   # between two looks at who belongs to the cluster
QUIET_SECONDS = 20.0   # a watch in which nothing happens for longer is taken for broken
LOST = (
    "no leader", "request timed out", "leader changed", "too many requests", "server stopped", "corrupt cluster",
    "not supported for learner",
)


class EtcdError(OSError):
    """etcd did not do what it was asked to; the message says why."""


class Unreachable(EtcdError):
    """No member can be reached."""


class NoQuorum(EtcdError):
    """Members can be reached, but they do not agree: too many are gone."""


class Uncertain(EtcdError):
    """The connection was lost after something that changes data was sent: it may have happened, or may happen later."""


class Client:
    """One connection at a time, to the first of `endpoints` (https://host:port) that answers; usable from several threads.

    `timeout`: seconds that one endpoint may take. Reads go on to the next endpoint after any failure, changes only when the first one
    certainly did not get them. `learns`: members that were added are taken in, and those that were removed are left out, from time to time.
    """

    def __init__(self, endpoints: list[str], tls: ssl.SSLContext, timeout: float = 4.0, learns: bool = True):
        self.endpoints, self.tls, self.timeout, self.learns = list(dict.fromkeys(endpoints)), tls, timeout, learns
        self._learned = float("-inf")
        self._lock = threading.Lock()
        self._connection: http.client.HTTPSConnection | None = None

    # Keys

    def range(self, key: str, end: str = "", limit: int = 0, revision: int = 0) -> tuple[list[KeyValue], bool, int]:
        """(pairs ordered by key, whether there are more, revision of the store)."""
        request = {**ranging(key, end)["request_range"], "limit": str(limit), "revision": str(revision)}
        answer = self.call("kv/range", request)
        return [pair_of(pair) for pair in answer.get("kvs", [])], answer.get("more", False), int(answer["header"]["revision"])

    def get(self, key: str) -> KeyValue | None:
        pairs, _more, _revision = self.range(key)
        return pairs[0] if pairs else None

    def list(self, prefix: str) -> tuple[list[KeyValue], int]:
        """Everything below the prefix as it was at one moment, and the revision of that moment."""
        found, more, revision = self.range(prefix, end_of(prefix), PAGE)
        while more:
            pairs, more, _now = self.range(found[-1].key + "\0", end_of(prefix), PAGE, revision)
            found += pairs
        return found, revision

    def put(self, key: str, value: str, lease: int = 0) -> None:
        self.call("kv/put", putting(key, value, lease)["request_put"], changes=True)

    def delete(self, key: str, end: str = "") -> int:
        """How many there were."""
        return int(self.call("kv/deleterange", deleting(key, end)["request_delete_range"], changes=True).get("deleted", 0))

    def txn(self, conditions: list[dict], then: list[dict], otherwise: list[dict] | None = None, changes: bool = True) -> tuple[bool, dict]:
        """(whether all conditions held, etcd's answer)."""
        request = {"compare": conditions, "success": then, "failure": otherwise or []}
        answer = self.call("kv/txn", request, changes)
        return answer.get("succeeded", False), answer

    def ranges(self, asked: list[dict]) -> list[list[KeyValue]]:
        """Several ranges of one moment."""
        _held, answer = self.txn([], asked, changes=False)
        return [[pair_of(pair) for pair in response["response_range"].get("kvs", [])] for response in answer["responses"]]

    # Leases

    def grant(self, seconds: int) -> int:
        return int(self.call("lease/grant", {"TTL": str(seconds)})["ID"])

    def keep_alive(self, lease: int) -> int:
        """The seconds that are left now; 0 when the lease has ended."""
        return int(self.call("lease/keepalive", {"ID": str(lease)})["result"].get("TTL", 0))

    def revoke(self, lease: int) -> None:
        self.call("lease/revoke", {"ID": str(lease)})

    # Members

    def members(self) -> list[dict]:
        """[{"id", "name" ("" until it was started), "peer", "client" (URLs, "" for none), "learner": has no vote yet}]"""
        return [
            {"id": int(member["ID"]), "name": member.get("name", ""), "peer": (member.get("peerURLs") or [""])[0],
             "client": (member.get("clientURLs") or [""])[0], "learner": member.get("isLearner", False)}
            for member in self.call("cluster/member/list", {})["members"]
        ]

    def add_member(self, peer: str, learner: bool = False) -> None:
        self.call("cluster/member/add", {"peerURLs": [peer], "isLearner": learner}, changes=True)

    def promote_member(self, member: int) -> None:
        """Gives a learner a vote; an EtcdError until it knows nearly everything."""
        self.call("cluster/member/promote", {"ID": str(member)}, changes=True)

    def remove_member(self, member: int) -> None:
        self.call("cluster/member/remove", {"ID": str(member)}, changes=True)

    def healthy(self, endpoint: str) -> bool:
        """Whether this one member answers and has quorum."""
        try:
            with contextlib.closing(Client([endpoint], self.tls, self.timeout, learns=False)) as single:
                single.range("health")
        except EtcdError:
            return False
        return True

    # Watching

    def watch(self, prefix: str, revision: int) -> Iterator[tuple[list[tuple[str, KeyValue]], int]]:
        """([("PUT" or "DELETE", pair)], revision) for what changes from this revision on; ends with an EtcdError.

        etcd itself says nothing while nothing changes, so something below the prefix has to change every few seconds.
        """
        connection = self._first()
        try:
            request = {"create_request": {"key": encoded(prefix), "range_end": encoded(end_of(prefix)), "start_revision": str(revision)}}
            connection.sock.settimeout(QUIET_SECONDS)
            connection.request("POST", "/v3/watch", json.dumps(request), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            while True:
                line = answer.readline()
                if not line:
                    raise Unreachable("the watch has ended")
                yield _changes(json.loads(line))
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise problem if isinstance(problem, EtcdError) else Unreachable(f"the watch was lost: {problem!r}") from problem
        finally:
            connection.close()

    # Requests

    def close(self) -> None:
        with self._lock:
            self._drop()

    def call(self, path: str, body: dict, changes: bool = False) -> dict:
        """One request. `changes`: it must not happen twice, nor late."""
        text, failures = json.dumps(body), []
        with self._lock:
            again = self.endpoints[:1] if self._connection else []   # the member may have closed a connection that was kept
            for endpoint in again + self.endpoints:
                try:
                    return self._attempt(endpoint, path, text)
                except (Unreachable, NoQuorum) as problem:
                    failures.append(problem)
                except Uncertain as problem:
                    if changes:
                        raise
                    failures.append(_read_failure(problem))
        raise next((failure for failure in failures if isinstance(failure, NoQuorum)), failures[-1])

    def _attempt(self, endpoint: str, path: str, text: str) -> dict:
        if self._connection is None:
            self._connection = self._connect(endpoint)
            self.endpoints = [endpoint] + [one for one in self.endpoints if one != endpoint]
            self._learned = float("-inf")
        if self.learns and time.monotonic() - self._learned > LEARN_SECONDS:
            self._learn(endpoint)
        return self._exchange(endpoint, path, text)

    def _learn(self, endpoint: str) -> None:
        try:
            members = self._exchange(endpoint, "cluster/member/list", "{}")["members"]
        except Uncertain as problem:   # nothing was asked for yet
            raise Unreachable(str(problem)) from problem
        known = [url for member in members for url in member.get("clientURLs", [])[:1]]
        self.endpoints = [endpoint] + [one for one in known if one != endpoint]
        self._learned = time.monotonic()

    def _exchange(self, endpoint: str, path: str, text: str) -> dict:
        try:
            self._connection.request("POST", f"/v3/{path}", text, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            document = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as problem:
            self._drop()
            raise Uncertain(f"{endpoint} {path}: {problem!r}") from problem
        if answer.status == 200 and "error" not in document:
            return document
        raise self._refusal(endpoint, path, document)

    def _refusal(self, endpoint: str, path: str, document: dict) -> EtcdError:
        """Of gRPC's codes: 14, unavailable, and 4, too late, may still happen."""
        error = document.get("error", "")
        message = (error if isinstance(error, str) else error.get("message", "")) or document.get("message", "") or "no reason given"
        if any(word in message for word in LOST):
            self._drop()
            return Uncertain(f"{endpoint} {path}: {message}")
        return EtcdError(f"{endpoint} {path}: {message}")

    def _connect(self, endpoint: str) -> http.client.HTTPSConnection:
        parts = urlsplit(endpoint)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=self.timeout, context=self.tls)
        try:
            connection.connect()
        except OSError as problem:
            connection.close()
            raise Unreachable(f"{endpoint}: {problem}") from problem
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _first(self) -> http.client.HTTPSConnection:
        """A connection of its own to the first endpoint that can be reached."""
        failure = Unreachable("there is no endpoint")
        for endpoint in self.endpoints:
            try:
                return self._connect(endpoint)
            except Unreachable as problem:
                failure = problem
        raise failure


def _read_failure(problem: Uncertain) -> EtcdError:
    """A member that took the request and has no answer to it lacks the others."""
    waited = isinstance(problem.__cause__, socket.timeout) or problem.__cause__ is None
    return (NoQuorum if waited else Unreachable)(str(problem))


def _changes(line: dict) -> tuple[list[tuple[str, KeyValue]], int]:
    if "error" in line:
        raise EtcdError(str(line["error"]))
    result = line["result"]
    if result.get("canceled"):
        why = result.get("cancel_reason") or f"revisions before {result.get('compact_revision', 'now')} are compacted"
        raise EtcdError(f"etcd ended the watch: {why}")
    events = [(event.get("type", "PUT"), pair_of(event["kv"])) for event in result.get("events", [])]
    return events, int(result["header"]["revision"])
