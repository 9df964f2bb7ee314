# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order of package versions: Debian's (Debian Policy 5.6.12) and Alpine's (apk: version comparison)."""

from __future__ import annotations

import re
from itertools import zip_longest

APK = re.compile(
    r"(?P<numbers>\d+(?:\.\d+)*)(?P<letter>[a-z]?)"
    r"(?P<suffixes>(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:-r(?P<build>\d+))?"
)
APK_SUFFIXES = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "cvs": 1, "svn": 2, "git": 3, "hg": 4, "p": 5}


def older(source: str, version: str, fixed_in: str) -> bool:
    """Whether `version` comes before `fixed_in` in the order of `source` (`deb` or `apk`)."""
    return (compare_debian if source == "deb" else compare_apk)(version, fixed_in) < 0


def compare_debian(left: str, right: str) -> int:
    """Negative, zero or positive as `left` is older than, the same as or newer than `right`."""
    left_epoch, left_upstream, left_revision = _split_debian(left)
    right_epoch, right_upstream, right_revision = _split_debian(right)
    return (left_epoch - right_epoch) or _compare_part(left_upstream, right_upstream) or _compare_part(left_revision, right_revision)


def compare_apk(left: str, right: str) -> int:
    """Like compare_debian; `ValueError` for what is no Alpine version."""
    a, b = _apk_key(left), _apk_key(right)
    return (a > b) - (a < b)


def _split_debian(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.rpartition(":")
    upstream, dash, revision = rest.rpartition("-")
    return (int(epoch) if colon else 0, upstream if dash else rest, revision if dash else "")


def _compare_part(left: str, right: str) -> int:
    """Runs of other characters and runs of digits take turns; `~` sorts before the end, letters before the rest."""
    pairs = zip_longest(re.findall(r"(\D*)(\d*)", left), re.findall(r"(\D*)(\d*)", right), fillvalue=("", ""))
    for (left_text, left_digits), (right_text, right_digits) in pairs:
        order = _compare_text(left_text, right_text) or int(left_digits or 0) - int(right_digits or 0)
        if order:
            return order
    return 0


def _compare_text(left: str, right: str) -> int:
    for a, b in zip_longest(left, right, fillvalue=""):
        order = _weight(a) - _weight(b)
        if order:
            return order
    return 0


def _weight(character: str) -> int:
    if character == "~":
        return -1
    if not character:
        return 0
    return ord(character) if character.isalpha() else ord(character) + 256


def _apk_key(version: str) -> tuple:
    found = APK.fullmatch(version)
    if not found:
        raise ValueError(f"{version!r} is not an Alpine version")
    numbers = [int(number) for number in found["numbers"].split(".")]
    suffixes = [(APK_SUFFIXES[name], int(number or 0)) for name, number in re.findall(r"_([a-z]+)(\d*)", found["suffixes"])]
    # The pair for "no suffix" ends the list, so that 1_rc1 < 1 < 1_p1.
    return numbers, found["letter"], [*suffixes, (0, 0)], int(found["build"] or 0)
