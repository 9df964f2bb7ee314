# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented operation of DTR is either sent by a module in the unit tests, or stands here with the reason why not."""

from __future__ import annotations

import re

NOT_COVERED = {
    "language of the web interface": [
        "GET /api/v0/accounts/language",
    ],
    "a user's own choice of a content cache": [
        "GET /api/v0/accounts/{username}/settings",
        "PATCH /api/v0/accounts/{username}/settings",
    ],
    "deprecated; gone since 2.6.0 (DTR release notes)": [
        "DELETE /api/v0/accounts/{namespace}/repositories",
        "DELETE /api/v0/repositories/{namespace}/{reponame}/manifests/{reference}",
    ],
    "effective right of one user; dtr_access reads what is granted": [
        "GET /api/v0/accounts/{username}/repositoryAccess/{namespace}/{reponame}",
    ],
    "parameters of jobs are not documented; dtr_job and dtr_cron pass what is given": [
        "GET /api/v0/action_configs",
        "GET /api/v0/action_configs/{action}",
        "POST /api/v0/action_configs",
        "DELETE /api/v0/action_configs/{action}",
    ],
    "bulk deletion by date; dtr_api_token deletes what is named": [
        "DELETE /api/v0/api_tokens",
    ],
    "the listing tells the same": [
        "GET /api/v0/api_tokens/{hashedtoken}",
        "GET /api/v0/crons/{action}",
        "GET /api/v0/repositories/{namespace}/{reponame}/pollMirroringPolicies/{pollmirroringpolicyid}",
        "GET /api/v0/repositories/{namespace}/{reponame}/promotionPolicies/{promotionpolicyid}",
        "GET /api/v0/repositories/{namespace}/{reponame}/pruningPolicies/{pruningpolicyid}",
        "GET /api/v0/repositories/{namespace}/{reponame}/pushMirroringPolicies/{pushmirroringpolicyid}",
        "GET /api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}",
    ],
    "content caches are hosts of their own and not managed here": [
        "GET /api/v0/content_caches",
        "POST /api/v0/content_caches",
        "GET /api/v0/content_caches/{contentcacheuuid}",
        "DELETE /api/v0/content_caches/{contentcacheuuid}",
    ],
    "dtr_repository_info reads those of the repositories it is asked about": [
        "GET /api/v0/events",
    ],
    "acts on every repository; dtr_repository declares it per repository": [
        "POST /api/v0/repositories/scan/toggle",
    ],
    "the listing of tags holds them": [
        "GET /api/v0/repositories/{namespace}/{reponame}/manifests",
    ],
    "each policy is deleted, and told, on its own": [
        "DELETE /api/v0/repositories/{namespace}/{reponame}/mirroringPolicies",
    ],
    "one tag to a remote by hand; dtr_mirror_policy declares it": [
        "POST /api/v0/repositories/{namespace}/{reponame}/tags/{tag}/pushMirroring",
    ],
    "search of the web interface": [
        "GET /api/v0/index/autocomplete",
    ],
    "docker search": [
        "GET /api/v0/index/dockersearch",
    ],
    "the policies' own creation checks the remote registry": [
        "POST /api/v0/remote/registry",
    ],
    "sends to the endpoint for real": [
        "POST /api/v0/webhooks/test",
    ],
    "belongs to one runner and is forgotten with it; dtr_info shows it": [
        "POST /api/v0/workers/{id}/capacity",
    ],
    "deprecated; replaced by the scan summary (DTR release notes)": [
        "GET /api/v0/imagescan/repositories/{namespace}/{reponame}/{tag}",
    ],
}


def operations(contract):
    """{"VERB /path"} of the document: a heading per path, a line in bold per verb."""
    found, path = set(), None
    for line in (contract / "api-dtr.md").read_text().splitlines():
        heading = re.match(r"### `(/api/\S+)`", line)
        verb = re.match(r"\*\*(GET|POST|PUT|PATCH|DELETE)\*\* \(", line)
        path = heading.group(1) if heading else path
        if verb and path:
            found.add(f"{verb.group(1)} {path}")
    return found


def test_every_operation_is_covered_or_has_a_reason(contract, exchanges):
    documented = operations(contract)
    sent = {one["operation"] for one in exchanges if one["module"] and one["product"] == "dtr"}
    excused = {operation for operations in NOT_COVERED.values() for operation in operations}
    assert len(documented) == 109
    assert sorted(excused - documented) == []
    assert sorted(documented - sent - excused) == []
    assert sorted(sent & excused) == []   # a reason that no longer holds
