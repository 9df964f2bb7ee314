# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`uninstall-ucp`: removes UCP from every node of the swarm; the swarm and what runs on it stay."""

from __future__ import annotations

from ...dtr_tool.errors import Fatal
from ...ucp_node import layout
from . import install

CLEANER = "ucp-uninstall-agent"
CONFIGS = ("com.docker.ucp.", "com.docker.interlock.", "com.docker.license")
WAIT_SECONDS = 180.0


def run(run) -> None:
    run.demand_manager()
    service = run.service()
    if not service and not install.leftovers(run):
        raise Fatal("UCP is not installed in this swarm")
    identity = run.engine.get("/swarm")["ID"]
    confirm(run, identity)
    run.provide_images()
    for name in (layout.MANAGER_AGENT, layout.WORKER_AGENT, CLEANER):
        remove_service(run, name)
    run.engine.remove(install.RECONCILE)
    run.log.info("Removing UCP Containers")
    run.engine.post("/services/create", cleaner(run))
    try:
        run.wait("removing UCP from all nodes", lambda: problem(run), WAIT_SECONDS)
    finally:
        remove_service(run, CLEANER)
    for kind, wanted in (("secrets", layout.AUTHORITIES), ("configs", CONFIGS if run["purge-config"] else ())):
        for found in run.engine.get(f"/{kind}"):
            if found["Spec"]["Name"].startswith(tuple(wanted)):
                run.engine.delete(f"/{kind}/{found['ID']}")
    run.log.info("UCP has been removed from this cluster successfully.")


def confirm(run, identity: str) -> None:
    if run["id"]:
        if run["id"] != identity:
            raise Fatal(f"--id {run['id']} is not the id of this UCP, which is {identity}")
    elif run["interactive"]:
        run.log.info(f"We're about to uninstall UCP from this Swarm cluster. UCP ID: {identity}")
        install.ask("Do you want to proceed with the uninstall? (y/n): ")
    else:
        raise Fatal(f"this removes the UCP with id {identity}: confirm it with --id {identity}, or run with --interactive")


def remove_service(run, name: str) -> None:
    if found := run.service(name):
        run.engine.delete(f"/services/{found['ID']}")


def cleaner(run) -> dict:
    """A task on each node that ends when the node is clean."""
    mount = {"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/var/run/docker.sock"}
    container = {"Image": run.product.image("ucp-agent"), "Command": ["python3", "-m", "standin.ucp_node.cleanup"], "Mounts": [mount]}
    return {
        "Name": CLEANER, "Mode": {"Global": {}},
        "TaskTemplate": {"ContainerSpec": container, "RestartPolicy": {"Condition": "on-failure", "MaxAttempts": 5, "Delay": 10**9}},
    }


def problem(run) -> str:
    """Nodes that are up and not clean yet. One that is down cannot be cleaned: the next line of the log names it."""
    tasks = run.engine.get("/tasks", query={"filters": {"service": [CLEANER]}})
    done = {task["NodeID"] for task in tasks if task["Status"]["State"] == "complete"}
    waiting = [node["Description"].get("Hostname", node["ID"]) for node in run.engine.get("/nodes")
               if node["Status"]["State"] == "ready" and node["ID"] not in done]
    reasons = {task["Status"].get("Err") for task in tasks if task["Status"]["State"] in ("failed", "rejected", "pending")} - {None, ""}
    return f"not clean: {', '.join(waiting)} {'; '.join(sorted(reasons))}".rstrip() if waiting else ""
