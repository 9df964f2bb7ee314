# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Facts, part by part. A part that cannot be read has a reason, it is never silently empty."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

OUT_OF_REACH = (403, 404)   # what the account may not see; what this version does not have


def gather(client, reads, parts, wanted):
    """{part: what was built, or None} and not_readable, [{part, reason}], of the wanted parts.

    reads: {name: function(client)}; parts: {part: (names of the reads, function of their answers)}.
    """
    names = sorted({name for part in wanted for name in parts[part][0]})
    answers = dict(zip(names, client.http.each(lambda name: attempt(reads[name], client), names)))
    found = {"not_readable": []}
    for part in wanted:
        sources, build = parts[part]
        reason = next((answers[name][1] for name in sources if answers[name][1]), "")
        found[part], reason = (None, reason) if reason else attempt(build, *(answers[name][0] for name in sources))
        if reason:
            found["not_readable"].append({"part": part, "reason": reason})
    return found


def attempt(function, *arguments):
    """(what it returns, "") or (None, the reason); ApiError where the server is at fault."""
    try:
        return function(*arguments), ""
    except (InputError, ValueError) as error:
        return None, str(error)
    except ApiError as error:
        if error.status in OUT_OF_REACH:
            return None, str(error)
        raise
