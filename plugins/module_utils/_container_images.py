# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Images of a host's engine, through its C(docker) command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._image_archive import ArchiveError, inspect

# Registry with port, path of lower-case parts, tag. A name with a digest cannot be in an archive.
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?")

# What the tools print is documented as one name a line (UCP docs: images; DTR docs: images).
LISTS = {"ucp": ("images", "--list"), "dtr": ("images",)}

Engine = namedtuple("Engine", "version root")


class ImageError(Exception):
    """What stands between a host and its images; the text says how to mend it."""


class NoDocker(ImageError):
    """A host without an engine."""


def familiar(name):
    """Return a name as C(docker image ls) writes it: no default registry, always a tag."""
    if not NAME.fullmatch(name):
        raise ImageError(f"{name!r} is no name of an image; write it as in docker/ucp:3.2.5, without a digest")
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/", "library/"):
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    return name if ":" in name.rpartition("/")[2] else name + ":latest"


def last_line(text):
    """Return where a complaint of the engine comes to the point."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"


class Docker:
    """The docker command of this host; every call has a time limit in seconds."""

    def __init__(self, timeout=1800, socket=None):
        self.timeout = timeout
        self.options = ["--host", f"unix://{socket}"] if socket else []
        self.command = shutil.which("docker", path=os.environ.get("PATH", "") + ":/usr/local/bin:/usr/bin")
        if not self.command:
            raise NoDocker("there is no docker command on this host; install the engine first (role docker_engine)")

    def run(self, *arguments, timeout=60):
        """Return exit code, output and errors."""
        try:
            done = subprocess.run(
                [self.command, *self.options, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            what = " ".join(arguments[:2])
            raise ImageError(f"docker {what} has not ended within {timeout} s; see that the engine answers, or raise timeout") from error
        return done.returncode, done.stdout, done.stderr

    def engine(self):
        """Return version and data directory of the engine, which has to run."""
        code, out, err = self.run("info", "--format", "{{json .}}")
        try:
            info = json.loads(out)
        except ValueError:
            info = {}
        problems = info.get("ServerErrors") or ([] if code == 0 and info.get("ServerVersion") else [last_line(err)])
        if problems:
            raise ImageError(f"the engine does not answer: {last_line(problems[0])}; start it first")
        return Engine(info["ServerVersion"], info["DockerRootDir"])

    def images(self):
        """Return the id of every image by each of its names."""
        code, out, err = self.run("image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
        if code != 0:
            raise ImageError(f"the engine does not list its images: {last_line(err)}; see that it runs")
        return dict(line.rsplit(" ", 1) for line in out.splitlines() if " " in line)

    def load(self, archive):
        code, _out, err = self.run("load", "--quiet", "--input", archive, timeout=self.timeout)
        if code != 0:
            raise ImageError(f"docker load of {archive} failed: {last_line(err)}")

    def listed(self, product, tool):
        """Return what a product's tool says that it needs, the tool itself included. The tool must be here: nothing is pulled."""
        code, out, err = self.run("run", "--rm", "--network", "none", "--log-driver", "none", tool, *LISTS[product], timeout=120)
        names = [line.strip() for line in out.splitlines() if line.strip()]
        wrong = [name for name in names if not NAME.fullmatch(name) or "/" not in name]
        if code != 0 or wrong or not names:
            reason = f"it printed {wrong[0]!r}" if wrong else last_line(err) if code else "it printed nothing"
            command = " ".join((tool, *LISTS[product]))
            raise ImageError(f"{command} does not list its images: {reason}; see that {tool} is the product's own image")
        return sorted({familiar(name) for name in [*names, tool]})


def free_space(path):
    """Return the free bytes around a path: those of its nearest parent that exists."""
    nearest = os.path.realpath(path)
    while not os.path.isdir(nearest):
        nearest = os.path.dirname(nearest)
    space = os.statvfs(nearest)
    return space.f_bavail * space.f_frsize


def megabytes(number):
    return f"{number / 1e6:.0f} MB"


def check_room(root, unpacked, what):
    """Refuse a load that would fill the disk: the engine unpacks the archive beside the layers that it makes of it."""
    if not os.path.isdir(root):
        raise ImageError(f"the engine's data directory {root} is not on this host; run this where the engine runs, not over DOCKER_HOST")
    free = free_space(root)
    if free < 2 * unpacked:
        raise ImageError(
            f"{root} has {megabytes(free)} free and loading {what} takes {megabytes(2 * unpacked)} (twice its size); nothing was"
            " loaded, make room there or give the engine another data-root"
        )


def check_archive(archive, sha256, missing):
    """Return an archive's Contents after proof that it is whole, the expected one, and holds what is missing."""
    if not os.path.isfile(archive):
        raise ImageError(f"there is no archive {archive} on this host, and {', '.join(missing)} is missing; copy the archive there first")
    with open(archive, "rb") as stream:
        contents = inspect(stream, archive)
    if sha256 and contents.sha256 != sha256.lower():
        raise ImageError(f"the SHA-256 of {archive} is {contents.sha256}, not {sha256.lower()} as given; nothing was loaded, copy it again")
    names = {familiar(name) for name in contents.images}
    lacking = [name for name in missing if name not in names]
    if lacking:
        raise ImageError(f"{archive} does not hold {', '.join(lacking)}; nothing was loaded, give that of the right product and version")
    return contents


def bring(docker, names, archive=None, *, sha256=None, tools=None, check_mode=False):
    """Have images on the host; return what was there, what was missing and what was loaded.

    C(tools): product -> bootstrapper image; what those that are on the host list is wanted too.
    """
    engine = docker.engine()
    before = docker.images()
    wanted = sorted({familiar(name) for name in names} | asked(docker, tools or {}, before))
    missing = [name for name in wanted if name not in before]
    present = {name: before[name] for name in wanted if name in before}
    result = {"changed": bool(missing), "missing": missing, "loaded": [], "images": present, "diff": _diff(wanted, missing)}
    if not missing:
        return result
    if not archive:
        raise ImageError(f"not on this host: {', '.join(missing)}; give archive, or bring them there by other means")
    # In check mode the step before has not brought the archive.
    if check_mode and not os.path.exists(archive):
        return result
    try:
        contents = check_archive(archive, sha256, missing)
    except ArchiveError as error:
        raise ImageError(str(error)) from error
    check_room(engine.root, contents.unpacked, archive)
    if check_mode:
        return result
    docker.load(archive)
    after = docker.images()
    absent = [name for name in wanted if name not in after]
    if absent:
        raise ImageError(f"docker load of {archive} ended well, yet {', '.join(absent)} is not there; look at the engine's journal")
    lacking = [name for name in asked(docker, tools or {}, after) if name not in after]
    if lacking:
        raise ImageError(f"{archive} is incomplete: it lacks {', '.join(lacking)}, which its own tool lists; get a complete one")
    return dict(result, loaded=missing, images={name: after[name] for name in wanted})


def asked(docker, tools, present):
    """Return what those tools list that are on the host; C(tools): product -> bootstrapper image."""
    return {name for product, tool in tools.items() if familiar(tool) in present for name in docker.listed(product, tool)}


def foreseen(names):
    """Return what C(bring) would do on a host that has yet to get its engine."""
    wanted = sorted({familiar(name) for name in names})
    return {"changed": bool(wanted), "missing": wanted, "loaded": [], "images": {}, "diff": _diff(wanted, wanted)}


def _diff(wanted, missing):
    before = [name for name in wanted if name not in missing]
    return {part: "".join(name + "\n" for name in names) for part, names in (("before", before), ("after", wanted))}
