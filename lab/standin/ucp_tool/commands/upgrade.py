# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`upgrade`: the managers first, one after the other, then the workers."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

from ...dtr_tool.errors import Fatal
from ...ucp_node import layout
from .. import preconditions as checks
from . import install

WAIT_SECONDS = 900.0


def run(run) -> None:
    service = run.demand_ucp()
    settings, info = run.settings_of(service), run.info()
    present = service["Spec"]["Labels"][layout.VERSION_LABEL]
    confirm(run, settings)
    unfinished = present == run.product.version and install.nodes_problem(run, present)
    if (problem := checks.path_problem(present, run.product.version)) and not unfinished:
        raise Fatal(problem)
    refuse_variants(run)
    checks.check_memory(run, info)
    run.provide_images()
    session = sign_in(run, info, settings)
    check_nodes(run, session)
    if run["host-address"]:
        checks.host(run, run["host-address"], [])
    if run["manual-worker-upgrade"]:
        hold_workers(run)
    run.log.info(f"Upgrading UCP {present} to {run.product.version}")
    for role, name in (("manager", layout.MANAGER_AGENT), ("worker", layout.WORKER_AGENT)):
        run.log.info(f"Upgrading the agents of all {role}s")
        update(run, settings, role, name)
        run.wait(f"upgrading the {role}s", lambda role=role: problem_of(run, role), WAIT_SECONDS)
    about = run.admin("get", "cluster", "cluster")
    if about["version"] != run.product.version:
        run.admin("put", "cluster", "cluster", given={**about, "version": run.product.version})
    run.log.info("Upgrade completed successfully")


def confirm(run, settings) -> None:
    if run["id"]:
        if run["id"] != settings.id:
            raise Fatal(f"--id {run['id']} is not the id of this UCP, which is {settings.id}")
    elif run["interactive"]:
        install.ask(f"Do you want to proceed with the upgrade of UCP {settings.id}? (y/n): ")
    else:
        raise Fatal(f"this upgrades the UCP with id {settings.id}: confirm it with --id {settings.id}, or run with --interactive")


def refuse_variants(run) -> None:
    """UCP docs, upgrade: not with services of the agent that an earlier version left."""
    names = [service["Spec"]["Name"] for service in run.engine.get("/services")]
    variants = [name for name in names if name.startswith(layout.WORKER_AGENT)]
    if len(variants) > 1:
        raise Fatal(f"there are several services of the workers' agent: {', '.join(sorted(variants))}; remove those of former versions")


def sign_in(run, info: dict, settings) -> Session:
    username, password = run["admin-username"], run["admin-password"]
    if not username or not password:
        raise Fatal("no administrator: give --admin-username and --admin-password (or $UCP_ADMIN_USER and $UCP_ADMIN_PASSWORD)")
    session = Session(f"https://{info['Swarm']['NodeAddr']}:{settings.controller_port}")
    answer = session.call("POST", "/auth/login", {"username": username, "password": password})
    if "auth_token" not in answer:
        raise Fatal(f"UCP does not accept {username} with this password")
    session.token = answer["auth_token"]
    account = session.call("GET", "/id/")
    if not account.get("isAdmin"):
        raise Fatal(f"{username} is no administrator of UCP")
    return session


class Session:
    """UCP's interface on this very node, which is trusted as far as the tool, with the engine in its hands, trusts the node."""

    def __init__(self, url: str):
        self.url, self.token = url, ""
        self._tls = ssl._create_unverified_context()

    def call(self, verb: str, path: str, body: dict | None = None):
        """Decoded JSON; {} for a refusal. Raises `Fatal` when UCP does not answer."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(f"{self.url}{path}", data, headers, method=verb)
        try:
            with urllib.request.urlopen(asked, timeout=30, context=self._tls) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as problem:
            if problem.code >= 500:
                raise Fatal(f"UCP at {self.url} answers {problem.code}: it has to be well before it is upgraded") from None
            return {}
        except OSError as problem:
            raise Fatal(f"UCP at {self.url} does not answer: {problem}") from None


def check_nodes(run, session: Session) -> None:
    """All nodes are well and have the images that they need (nothing can be pulled where there is no registry)."""
    nodes = session.call("GET", "/nodes")
    unwell = [f"{node['Description']['Hostname']} ({node['Status']['Message']})" for node in nodes
              if node["Status"]["State"] != "ready" or not node["Status"]["Message"].startswith("Healthy")]
    if unwell:
        raise Fatal(f"not all nodes are healthy: {', '.join(unwell)}; bring them back or remove them from the swarm, then upgrade")
    if run["pull"] == "always":
        return
    held = {}
    for image in session.call("GET", "/images/json"):
        held.setdefault(image["Node"]["Name"], set()).update(image["RepoTags"] or [])
    needed = {"manager": set(run.images()) - {run.product.image("ucp")}, "worker": {run.product.image("ucp-agent")}}
    missing = [f"{name} lacks {', '.join(sorted(lack))}" for node in nodes
               if (name := node["Description"]["Hostname"]) and (lack := needed[node["Spec"]["Role"]] - held.get(name, set()))]
    if missing:
        raise Fatal(f"images are missing: {'; '.join(missing)}; load them on these nodes (docker load)")


def hold_workers(run) -> None:
    for node in run.engine.get("/nodes"):
        if node["Spec"]["Role"] == "worker":
            install.label(run, node, {layout.HOLD_LABEL: "true"})


def update(run, settings, role: str, name: str) -> None:
    """The service in its new form; the secrets that it uses stay."""
    present = run.service(name)
    references = present["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets") or []
    wanted = layout.service(role, run.product, settings, references)
    run.engine.post(f"/services/{present['ID']}/update", wanted, query={"version": present["Version"]["Index"]})


def problem_of(run, role: str) -> str:
    """Of the nodes of one role, and of the update itself."""
    name = layout.MANAGER_AGENT if role == "manager" else layout.WORKER_AGENT
    state = run.service(name).get("UpdateStatus") or {}
    if state.get("State") == "paused":
        raise Fatal(f"the update of {name} stopped: {state.get('Message')}; mend it (`docker service ps {name}`), then upgrade again")
    return install.nodes_problem(run, run.product.version, role)
