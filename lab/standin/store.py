# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents by kind and key, in memory and, given a path, in sqlite as well."""

from __future__ import annotations

import bisect
import json
import pathlib
import sqlite3
import threading

LOCK_SECONDS = 1.0   # a stand-in that is just ending may need them


class Store:
    """Reads come from memory; each change is written through, so that a restart finds everything.

    What `get`, `items` and `all` return are the stored documents themselves: read them, and change them with `put`.
    """

    def __init__(self, path: str | None):
        self._docs: dict[str, dict[str, dict]] = {}
        self._keys: dict[str, list[str]] = {}
        self._lock = threading.RLock()
        self._db = self._open(path) if path else None

    def _open(self, path: str) -> sqlite3.Connection:
        pathlib.Path(path).touch(mode=0o600)   # it holds sessions and hashes of passwords
        db = sqlite3.connect(path, timeout=LOCK_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            # What is in memory is the truth for one process only, so no other one may open it.
            for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF"):
                db.execute(f"PRAGMA {setting}")
            db.execute("CREATE TABLE IF NOT EXISTS document (kind TEXT, key TEXT, doc TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID")
            for kind, key, doc in db.execute("SELECT kind, key, doc FROM document ORDER BY kind, key"):
                self._docs.setdefault(kind, {})[key] = json.loads(doc)
        except sqlite3.DatabaseError as problem:
            db.close()
            raise OSError(
                f"{path} cannot be used ({problem}); another stand-in may be running on it: give each a folder of its own") from problem
        self._keys = {kind: sorted(docs) for kind, docs in self._docs.items()}
        return db

    def close(self) -> None:
        with self._lock:
            if self._db:
                self._db.close()
                self._db = None

    def get(self, kind: str, key: str) -> dict | None:
        return self._docs.get(kind, {}).get(key)

    def put(self, kind: str, key: str, doc: dict) -> dict:
        with self._lock:
            docs = self._docs.setdefault(kind, {})
            if key not in docs:
                bisect.insort(self._keys.setdefault(kind, []), key)
            docs[key] = doc
            if self._db:
                self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, key, json.dumps(doc)))
        return doc

    def delete(self, kind: str, key: str) -> bool:
        with self._lock:
            if self._docs.get(kind, {}).pop(key, None) is None:
                return False
            keys = self._keys[kind]
            del keys[bisect.bisect_left(keys, key)]
            if self._db:
                self._db.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))
        return True

    def items(self, kind: str, prefix: str = "") -> list[tuple[str, dict]]:
        """The documents whose key begins with the prefix, ordered by key."""
        with self._lock:
            keys, docs = self._keys.get(kind, []), self._docs.get(kind, {})
            found = []
            for position in range(bisect.bisect_left(keys, prefix), len(keys)):
                if not keys[position].startswith(prefix):
                    break
                found.append((keys[position], docs[keys[position]]))
        return found

    def all(self, kind: str, prefix: str = "") -> list[dict]:
        return [doc for _key, doc in self.items(kind, prefix)]
