# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Keys, certificates and CAs on a host: what belongs where, what differs, and putting it there as one set.

Every file of every set is written beside its target, verified and synced first; only then are they renamed into place, one right
after the other. An error on the way puts back what was already renamed. A kill between two renames leaves a pair that does not
match; the next run sees the difference and completes it.
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
import shutil
import ssl
import stat
import tempfile
import time

KEEP = -1  # for chown: leave the owner as it is
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class FilesError(Exception):
    """Ends in fail_json; the message says where, what, and how to mend."""


class Target:
    """One file as it should be."""

    def __init__(self, one, path, content, mode, private):
        self.set_name, self.path, self.private = one["name"], os.path.realpath(path), private
        self.content = content.encode()
        self.mode, self.owner, self.group = mode, one.get("owner"), one.get("group")


def targets(sets):
    """The files of all sets. One path for certificate and key makes one file with both, as HAProxy reads it."""
    found = []
    for one in sets:
        key_mode = octal(one.get("key_mode") or "0600")
        public_mode = octal(one.get("mode") or "0644")
        certificate, key = one.get("certificate_path"), one.get("key_path")
        if certificate and certificate == key:
            found.append(Target(one, key, one["certificate"] + one["key"], key_mode, True))
        else:
            if key:
                found.append(Target(one, key, one["key"], key_mode, True))
            if certificate:
                found.append(Target(one, certificate, one["certificate"], public_mode, False))
        if one.get("ca_path"):
            found.append(Target(one, one["ca_path"], one["ca"], public_mode, False))
    paths = [target.path for target in found]
    for path in paths:
        if paths.count(path) > 1:
            raise FilesError(f"{path} is the target of two files; give each a path of its own.")
    return found


def octal(mode):
    try:
        return int(str(mode), 8)
    except ValueError:
        raise FilesError(f'The mode {mode} is not octal; write it in quotes, like "0600".') from None


def describe(content, private):
    """What may be shown of a file: fingerprints of its certificates, and of a key only that it is there."""
    if content is None:
        return "absent"
    shown = fingerprints(content.decode("utf-8", "replace"))
    if private:
        shown.append("private key")
    return shown or ["no certificate"]


def certificates_of(text):
    return "".join(block + "\n" for block in _CERTIFICATE.findall(text))


def fingerprints(text):
    found = []
    for block in _CERTIFICATE.findall(text):
        try:
            found.append("sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest())
        except ValueError:
            found.append("unreadable certificate")
    return found


def read(path):
    """(content, stat) of a file, (None, None) where there is none."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise FilesError(f"{path} is not a file; remove it or give another path.")
        with open(path, "rb") as handle:
            return handle.read(), status
    except FileNotFoundError:
        return None, None
    except PermissionError:
        raise FilesError(f"{path} cannot be read by this user; run with become.") from None
    except NotADirectoryError:
        raise FilesError(f"{path} cannot be: a part of the path is a file, not a directory.") from None


class Difference:
    """One target against what is on the host."""

    def __init__(self, target):
        self.target = target
        self.content, status = read(target.path)
        self.mtime = status.st_mtime if status else None
        self.errors = []
        self.uid = self._account(target.owner, pwd.getpwnam, "user", status and status.st_uid)
        self.gid = self._account(target.group, grp.getgrnam, "group", status and status.st_gid)
        self.other_content = self.content != target.content
        self.other_access = status is None or (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) != (
            target.mode,
            status.st_uid if self.uid == KEEP else self.uid,
            status.st_gid if self.gid == KEEP else self.gid,
        )
        self.changed = self.other_content or self.other_access
        self.before = {"content": describe(self.content, target.private)}
        if status:
            self.before.update(_access(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid))
        self.after = dict(self.before, content=describe(target.content, target.private), mode=f"{target.mode:04o}")
        self.after.update({name: value for name, value in (("owner", target.owner), ("group", target.group)) if value})
        if self.other_content and target.private and self.content is not None:
            # The two would otherwise read the same, as nothing of a key is shown.
            self.after["content"] = [*self.after["content"][:-1], "another private key"]

    def _account(self, name, database, what, current):
        if name is None:
            return KEEP if current is None else current
        if str(name).isdigit():
            return int(name)
        try:
            return database(name)[2]
        except KeyError:
            self.errors.append(
                f'{self.target.set_name}: the {what} "{name}" does not exist on this host; create it first or name another.'
            )
            return None


def _access(mode, uid, gid):
    return {
        "mode": f"{mode:04o}",
        "owner": _account_name(uid, pwd.getpwuid),
        "group": _account_name(gid, grp.getgrgid),
    }


def _account_name(number, database):
    try:
        return database(number)[0]
    except KeyError:
        return str(number)


def verify_pairs(sets, directory):
    """Loads each key with its certificate as a TLS server would, from copies in a private directory."""
    certificate, key = os.path.join(directory, "certificate.pem"), os.path.join(directory, "key.pem")
    for one in sets:
        if not (one.get("certificate") and one.get("key")):
            continue
        for path, text in ((certificate, one["certificate"]), (key, one["key"])):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
                handle.write(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # A password of its own, even an empty one, keeps OpenSSL from asking for it on a terminal.
            context.load_cert_chain(certificate, key, password=one.get("key_passphrase") or "")
        except (ssl.SSLError, ValueError) as error:
            raise FilesError(
                "{}: TLS cannot load this key with this certificate ({}); nothing was changed. "
                "Give a key and a certificate that belong together.".format(
                    one["name"], getattr(error, "reason", None) or "not PEM, or encrypted with another passphrase"
                )
            ) from None
        finally:
            os.unlink(certificate)
            os.unlink(key)


def apply(differences, directory_mode, backup):
    """Puts what differs in place; returns the backups made."""
    errors = [error for difference in differences for error in difference.errors]
    if errors:
        raise FilesError(" ".join(sorted(set(errors))))
    replaced = [difference for difference in differences if difference.other_content]
    staged, saved, done = {}, {}, []
    try:
        for difference in replaced:
            staged[difference.target.path] = _stage(difference, directory_mode)
        _save_all(replaced, saved)
        _swap(staged, done)
        for difference in differences:
            if difference.other_access and not difference.other_content:
                os.chown(difference.target.path, difference.uid, difference.gid)
                os.chmod(difference.target.path, difference.target.mode)
        for directory in sorted({os.path.dirname(path) for path in done}):
            _sync_directory(directory)
    except OSError as error:
        _put_back(done, saved)
        raise FilesError(f"{error.filename}: {error.strerror}; the files are as they were.") from error
    finally:
        for leftover in staged.values():
            os.unlink(leftover)
    if backup:
        return sorted(saved.values())
    for path in saved.values():
        os.unlink(path)
    return []


def _save_all(replaced, saved):
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for difference in replaced:
        if difference.content is not None:
            saved[difference.target.path] = _save(difference.target.path, stamp)


def _swap(staged, done):
    for path in list(staged):
        # The time of the swap, not of the writing: a service that started in between still holds the old files.
        os.utime(staged[path])
        os.replace(staged[path], path)
        del staged[path]
        done.append(path)


def _stage(difference, directory_mode):
    target = difference.target
    directory = os.path.dirname(target.path)
    _make_directory(directory, directory_mode)
    handle, path = tempfile.mkstemp(prefix=".certificate-", dir=directory)
    with os.fdopen(handle, "wb") as staged:
        staged.write(target.content)
        os.fchown(staged.fileno(), difference.uid, difference.gid)
        os.fchmod(staged.fileno(), target.mode)
        staged.flush()
        os.fsync(staged.fileno())
    return path


def _make_directory(directory, mode):
    if not os.path.isdir(directory):
        _make_directory(os.path.dirname(directory), mode)
        os.mkdir(directory, mode)
        os.chmod(directory, mode)  # mkdir heeds the umask


def _save(path, stamp):
    """A copy with the same owner and mode. All files of one change carry the same stamp."""
    status = os.stat(path)
    saved = f"{path}.{stamp}~"
    handle = os.open(saved, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as copy, open(path, "rb") as original:
        shutil.copyfileobj(original, copy)
        os.fchown(copy.fileno(), status.st_uid, status.st_gid)
        os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode))
    os.utime(saved, ns=(status.st_atime_ns, status.st_mtime_ns))
    return saved


def _put_back(done, saved):
    for path in done:
        if path in saved:
            os.replace(saved[path], path)
        else:
            os.unlink(path)
    for path in saved.values():
        if os.path.exists(path):
            os.unlink(path)


def _sync_directory(directory):
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
