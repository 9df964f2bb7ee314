# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`install`: a swarm where there is none, UCP on this node, and agents that bring it to every other node."""

from __future__ import annotations

import base64
import getpass
import json
import pathlib
import sys
import tempfile

from ...auth import matches
from ...dtr_tool.errors import Fatal
from ...engine.client import EngineError, packed
from ...ucp_node import certificates, layout
from ...ucp_node.layout import Settings
from .. import preconditions as checks

RECONCILE = "ucp-reconcile"


def run(run) -> None:
    info = run.info()
    run.log.info(f"Your Docker daemon version {info['ServerVersion']} is compatible with UCP {run.product.version}")
    refuse_existing(run, info)
    username, password = account(run)
    licensed = checks.license_of(run)
    if run["existing-config"] and not info["Swarm"].get("ControlAvailable"):
        raise Fatal("--existing-config: this engine is in no swarm, so there is no config com.docker.ucp.config to take")
    configuration = checks.configuration(run)
    checks.check_memory(run, info)
    run.provide_images()
    run.log.info("Checking required ports for connectivity")
    address = checks.host(run, run["host-address"], [] if leftovers(run) else checks.ports(run))
    checks.web_certificates(run)
    join_swarm(run, info, address)
    settings = make_settings(run)
    add_names(run, settings)
    run.log.info("Running Installation Steps")
    authorities = make_authorities(run)
    reconcile(run, settings, authorities)
    seed(run, settings, {"username": username, "password": password}, configuration, licensed)
    secrets = publish(run, authorities)
    make_services(run, settings, secrets)
    run.log.info("Wait for All Nodes to be Ready")
    wait_for_nodes(run, run.product.version)
    run.engine.remove(RECONCILE)
    run.log.info("All Installation Steps Completed")
    port = "" if settings.controller_port == 443 else f":{settings.controller_port}"
    run.log.info(f"Login to UCP at https://{address}{port}")
    run.log.info(f"Username: {username}")


def refuse_existing(run, info: dict) -> None:
    if not info["Swarm"].get("ControlAvailable"):
        if info["Swarm"]["LocalNodeState"] != "inactive":
            raise Fatal(f"{info['Name']} is a worker of a swarm: install UCP on one of its managers")
        if run.engine.container(layout.CONTROLLER):
            raise Fatal(f"{info['Name']} has left its swarm with UCP's containers on it: remove them (docker rm -f), then install")
        return
    service = run.service()
    if service:
        version = service["Spec"]["Labels"].get(layout.VERSION_LABEL)
        raise Fatal(f"UCP {version} is already installed in this swarm: use `upgrade`, or `uninstall-ucp` first")


def account(run) -> tuple[str, str]:
    """The first administrator's name and password; asked for in interactive mode."""
    username, password = run["admin-username"], run["admin-password"]
    if run["interactive"] and not username:
        sys.stderr.write("Admin Username: ")
        username = sys.stdin.readline().strip()
    if run["interactive"] and not password:
        password = getpass.getpass("Admin Password: ", stream=sys.stderr)
        if getpass.getpass("Confirm Admin Password: ", stream=sys.stderr) != password:
            raise Fatal("the passwords differ")
    if not username or not password:
        raise Fatal("no administrator: give --admin-username and --admin-password ($UCP_ADMIN_USER, $UCP_ADMIN_PASSWORD), or --interactive")
    if len(password) < 8:
        raise Fatal("the administrator's password is too short: it has to have 8 characters or more")
    return username, password


def leftovers(run) -> bool:
    """Containers of an installation that was interrupted: they hold UCP's ports themselves."""
    return bool(run.engine.container(layout.STORE))


def join_swarm(run, info: dict, address: str) -> None:
    if info["Swarm"].get("ControlAvailable"):
        return
    run.log.info("Initializing New Docker Swarm")
    port = run["swarm-grpc-port"]
    run.engine.post("/swarm/init", {
        "ListenAddr": f"0.0.0.0:{port}", "AdvertiseAddr": f"{address}:{port}", "DataPathAddr": run["data-path-addr"] or "", "Spec": {},
    })


def make_settings(run) -> Settings:
    info = run.info()
    return Settings(
        id=run.engine.get("/swarm")["ID"], first=info["Swarm"]["NodeID"], root=info["DockerRootDir"],
        controller_port=run["controller-port"], kube_apiserver_port=run["kube-apiserver-port"], swarm_port=run["swarm-port"],
        dns=run["dns"], dns_opt=run["dns-opt"], dns_search=run["dns-search"],
    )


def add_names(run, settings: Settings) -> None:
    """--san becomes this node's label, beside what stands there."""
    if run["san"]:
        node = run.engine.get(f"/nodes/{settings.first}")
        present = [name for name in node["Spec"]["Labels"].get(layout.SANS_LABEL, "").split(",") if name]
        label(run, node, {layout.SANS_LABEL: ",".join(dict.fromkeys([*present, *run["san"]]))})


def label(run, node: dict, labels: dict) -> None:
    spec = {**node["Spec"], "Labels": {**node["Spec"]["Labels"], **labels}}
    run.engine.post(f"/nodes/{node['ID']}/update", spec, query={"version": node["Version"]["Index"]})


def make_authorities(run) -> dict[str, str]:
    """Contents of the authorities' secrets by name; those in this node's volumes are used again (--preserve-certs, interrupted runs)."""
    run.log.info("Setup Internal Cluster CA")
    found = {}
    for name, title in ((layout.CLUSTER_CA, "UCP Cluster Root CA"), (layout.CLIENT_CA, "UCP Client Root CA")):
        code, output, _errors = run.helper(
            "ucp-read-ca", ["sh", "-c", "cat /a/ca.pem /a/ca-key.pem"], [f"{name}:/a"])
        if code == 0 and (run["preserve-certs"] or leftovers(run)):
            end = "-----END CERTIFICATE-----\n"
            certificate, _end, key = output.decode().partition(end)
            found[name] = json.dumps({"certificate": certificate + end, "key": key})
            continue
        with tempfile.TemporaryDirectory() as folder:
            found[name] = json.dumps(certificates.new_authority(pathlib.Path(folder), title))
    return found


def reconcile(run, settings: Settings, authorities: dict[str, str]) -> None:
    """A manager's agent as a plain container, for as long as the services are not there."""
    stale = [secret for secret in (run.engine.named("secrets", name) for name in layout.AUTHORITIES) if secret]
    for secret in stale:
        run.engine.delete(f"/secrets/{secret['ID']}")
    publish(run, authorities)
    document = {
        "Image": run.product.image("ucp-agent"), "Cmd": ["python3", "-m", "standin.ucp_node.agent", "manager"],
        "Env": [f"{layout.SETTINGS}={settings.text()}"], "Labels": {layout.VERSION_LABEL: run.product.version},
        "HostConfig": {"Binds": ["/var/run/docker.sock:/var/run/docker.sock", *(f"{name}:/v/{name}" for name in layout.MANAGER_VOLUMES)]},
    }
    run.engine.remove(RECONCILE)
    run.engine.create(RECONCILE, document)
    files = {f"secrets/{name}": content.encode() for name, content in authorities.items()}
    run.engine.call("PUT", f"/containers/{RECONCILE}/archive", packed(files), query={"path": "/run"})
    run.log.info("Deploying UCP containers on this node")
    run.engine.post(f"/containers/{RECONCILE}/start")
    run.wait("starting UCP's store", lambda: store_problem(run), 180)


def store_problem(run) -> str:
    container = run.engine.container(layout.STORE)
    if not container or not container["State"]["Running"]:
        reason = run.engine.logs(RECONCILE, "stdout").decode(errors="replace").strip().splitlines()
        return reason[-1] if reason else "the store's container does not run"
    code, output = run.engine.execute(layout.STORE, [*layout.STORE_ADMIN, "status", "--timeout", "3"])
    return "" if code == 0 else output.strip()


def seed(run, settings: Settings, admin: dict, configuration: dict, licensed: dict | None) -> None:
    run.log.info("Setup UCP's accounts and configuration")
    if run.admin("get", "cluster", "cluster"):
        present = run.admin("get", "account", admin["username"])
        if not present or not matches(admin["password"], present["password"]):
            raise Fatal("this node holds the store of another UCP, with another administrator: run `uninstall-ucp` first")
        run.log.info("An interrupted installation goes on")
        return
    node = run.engine.get(f"/nodes/{settings.first}")
    run.admin("seed", given={
        "admin": admin,
        "documents": {"config": {"toml": configuration}, **({"license": {"ucp": licensed}} if licensed else {})},
        "replica": {"id": node["ID"], "node": node["Description"]["Hostname"], "version": run.product.version,
                    "https_port": settings.controller_port, "http_port": 0},
    })


def publish(run, authorities: dict[str, str]) -> list[dict]:
    """The secrets, made where they are not there, in the shape that a service wants."""
    references = []
    for name, content in authorities.items():
        present = run.engine.named("secrets", name)
        identity = present["ID"] if present else run.engine.post(
            "/secrets/create", {"Name": name, "Data": base64.b64encode(content.encode()).decode()})["ID"]
        file = {"Name": name, "UID": "0", "GID": "0", "Mode": 0o400}
        references.append({"SecretID": identity, "SecretName": name, "File": file})
    return references


def make_services(run, settings: Settings, secrets: list[dict]) -> None:
    for role, references in (("worker", []), ("manager", secrets)):
        try:
            run.engine.post("/services/create", layout.service(role, run.product, settings, references))
        except EngineError as problem:
            if problem.status != 409:
                raise


def wait_for_nodes(run, version: str) -> None:
    """Every node that is up runs its agent, of this version, and the agent calls it converged."""
    run.wait("UCP's agents", lambda: nodes_problem(run, version))


def nodes_problem(run, version: str, role: str = "") -> str:
    """The nodes, of one role or of both, whose agent is not the one of this version or has not converged; "" when there is none."""
    filters = {"service": [layout.MANAGER_AGENT, layout.WORKER_AGENT], "desired-state": ["running"]}
    tasks = run.engine.get("/tasks", query={"filters": filters})
    image = layout.Product(version, run.product.organisation).image("ucp-agent")
    ready = {
        task["NodeID"] for task in tasks
        if task["Status"]["State"] == "running" and task["Spec"]["ContainerSpec"]["Image"].partition("@")[0] == image
    }
    waiting = [
        node["Description"].get("Hostname", node["ID"]) for node in run.engine.get("/nodes")
        if node["Status"]["State"] == "ready" and node["ID"] not in ready and role in ("", node["Spec"]["Role"])
        and (node["Spec"]["Role"] == "manager" or node["Spec"]["Labels"].get(layout.HOLD_LABEL) != "true")
    ]
    if not waiting:
        return ""
    errors = {task["Status"].get("Err") for task in tasks if task["Status"]["State"] != "running"} - {None, ""}
    return f"not ready: {', '.join(waiting)}{' (' + '; '.join(sorted(errors)) + ')' if errors else ''}"


def ask(question: str) -> None:
    """On the terminal, or whatever stdin is; raises `Fatal` unless the answer is yes."""
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Fatal("not confirmed: nothing was changed")
