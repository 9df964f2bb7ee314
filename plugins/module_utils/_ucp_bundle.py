# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Client bundles: the archive that UCP hands out, the files it becomes, and whether those still sign in."""

from __future__ import annotations

import io
import os
import re
import ssl
import tempfile
import zipfile

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_certificates as certificates
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

NEEDED = ("ca.pem", "cert.pem", "key.pem")
LARGEST = 1 << 20   # bytes of a bundle's files together, which are some 20 kB
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def unpacked(archive):
    """{path: bytes} of a zip; ApiError when it is none, or when it would write anywhere but below its folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
            for entry in entries:
                check_entry(entry)
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise ApiError(f"the client bundle holds more than {LARGEST} bytes. Is this UCP, or something in front of it?")
            files = {entry.filename: bundle.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ApiError(f"the client bundle is no zip archive ({error}). Is this UCP, or something in front of it?") from error
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise ApiError(f"the client bundle has no {', '.join(missing)}. Nothing was written.")
    return files


def check_entry(entry):
    """ApiError for a name that leads elsewhere, and for anything but a plain file."""
    kind = entry.external_attr >> 28   # of the Unix mode: 8 is a file, 0 is not said
    if not all(PLAIN.fullmatch(part) for part in entry.filename.split("/")) or kind not in (0, 8):
        raise ApiError(f"the client bundle holds '{entry.filename}', which is no plain file below its folder. Nothing was written.")


def write(folder, files):
    """Put the files into the folder, readable by their owner only; each one is there as a whole or as it was."""
    make(folder)
    # The certificate comes last: a run that ends before it leaves one that does not fit its key, which the next run notices.
    for name in sorted(files, key=lambda name: (name.endswith("cert.pem"), name)):
        path = os.path.join(folder, *name.split("/"))
        make(os.path.dirname(path))
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))   # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(files[name])
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


def make(folder):
    """A folder for its owner only."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)


def read(folder, name):
    """The text of a file; "" when there is none."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"dest: {os.path.join(folder, name)} cannot be read ({error}). Run the task as its owner.") from error


def exposed(folder):
    """[(path, mode that it shall have)] of what others can open in a folder with a whole bundle."""
    paths = [(folder, 0o700)] + [(os.path.join(folder, name), 0o600) for name in NEEDED]
    return [(path, mode) for path, mode in paths if os.stat(path).st_mode & 0o077]


def pair(folder):
    """(certificate file, key file) of the bundle in a folder."""
    return os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")


def flaw(folder, renew_before):
    """Why the bundle in the folder cannot stay, "" when its files give no reason.

    renew_before: days that its certificate has to hold yet.
    """
    lacking = [name for name in NEEDED if not read(folder, name)]
    if lacking:
        return f"{', '.join(lacking)} missing"
    try:
        found = facts(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
        context.load_cert_chain(*pair(folder))
    except (ssl.SSLError, ValueError, IndexError):
        return "CA or certificate cannot be read, or the key is that of another certificate"
    return f"its certificate ends at {found['not_after']}" if found["days_left"] < renew_before else ""


def facts(folder):
    """What the certificate of the bundle in a folder says."""
    return certificates.facts(certificates.split(read(folder, "cert.pem"))[0])
