#!/usr/bin/python

# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_daemon
short_description: Configure a Docker engine and verify that the configuration took effect
version_added: 0.1.0
description:
  - Brings C(daemon.json) to what is declared and keeps the keys that others own.
  - Refuses, before anything is changed, a file that is not valid JSON, keys and values the engine would reject, and keys that are also
    set by a flag of the unit, of a drop-in or of C(DOCKER_OPTS); it names where each of these flags stands.
  - Reloads the engine when all that changed can be reloaded and restarts it otherwise, then asks the engine itself, through its events and
    C(/info), whether the configuration took effect. If it did not, the previous file and a running engine are put back, and the
    engine's own reason is reported.
  - Looks at the engine as well as at the file. A run that was killed between writing and reloading is completed by the next one.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  config:
    description:
      - Keys of C(daemon.json) with their exact values. V(null) removes a key.
      - Keys that are not named here are kept, unless O(exclusive=true).
    type: dict
    default: {}
  list_items:
    description:
      - List keys of which only some members are declared, as key to a map of C(present) and C(absent) members.
      - Members that are named in neither are kept. A key cannot stand here and in O(config).
    type: dict
    default: {}
  exclusive:
    description:
      - Remove every key that is declared neither in O(config) nor in O(list_items).
      - The engine keeps the old value of a key that is missing on a reload. Where a reload is enough, a removed key is
        therefore written with an empty value, C(insecure-registries) for example as V([]).
    type: bool
    default: false
  target:
    description:
      - Where the configuration is written.
      - With V(docker_opts) the same keys become flags in the variable E(DOCKER_OPTS) of O(options_file), for engines that are
        managed that way. Flags that are not declared are kept, unless O(exclusive=true). Every change needs a restart.
    type: str
    choices: [daemon_json, docker_opts]
    default: daemon_json
  path:
    description: The engine's configuration file.
    type: path
    default: /etc/docker/daemon.json
  options_file:
    description: The environment file of the unit that holds E(DOCKER_OPTS).
    type: path
    default: /etc/default/docker
  broken_file:
    description:
      - What to do when O(path) is not valid JSON.
      - V(fail) reports line and column and changes nothing.
      - V(replace) writes a new file with the declared keys and keeps the broken one as a backup.
    type: str
    choices: [fail, replace]
    default: fail
  service:
    description: The engine's systemd service.
    type: str
    default: docker
  started:
    description:
      - Start the service when it does not run; only a running engine can be verified.
      - With V(false) a stopped service stays stopped, and the file is written without that proof.
    type: bool
    default: true
  enabled:
    description: Have the service started at boot. With V(false) this is left as it is.
    type: bool
    default: false
  restart:
    description:
      - Whether the engine may be restarted. Containers without C(live-restore) stop when it is.
      - With V(never) a change that needs a restart is refused before anything is changed.
    type: str
    choices: [allowed, never]
    default: allowed
  missing_engine:
    description:
      - What to do on a host without a Docker engine.
      - V(fail) refuses. V(configure) writes C(daemon.json) for the engine to be installed, so that its first start already uses it.
      - In check mode both report what would be written.
    type: str
    choices: [fail, configure]
    default: fail
  socket:
    description: Path of the engine's unix socket. By default the first one it listens on.
    type: path
  timeout:
    description: Seconds to wait for the engine to reload, to start or to answer.
    type: int
    default: 60
  backups:
    description: How many dated backups of the file to keep beside it. V(0) keeps none.
    type: int
    default: 5
attributes:
  platform:
    details: Needs systemd, and the root user. Rootless engines are not supported.
notes:
  - Keys that C(/info) does not show, such as C(log-opts), are proven by the engine's reload event or by its start with the file.
  - Engines from 23.0 on check the file themselves with C(dockerd --validate); for older ones the module knows keys and types.
author:
  - Dockyard contributors (@dockyard)
"""

EXAMPLES = r"""
- name: Rotate container logs and keep containers alive while the engine restarts
  dockyard.trusted_registry.docker_daemon:
    config:
      live-restore: true
      log-driver: json-file
      log-opts:
        max-size: 10m
        max-file: "3"

- name: Trust one registry without TLS and keep those that others have listed
  dockyard.trusted_registry.docker_daemon:
    list_items:
      insecure-registries:
        present: ["registry.example.com:5000"]
        absent: ["old-registry.example.com"]
    restart: never

- name: Remove a key
  dockyard.trusted_registry.docker_daemon:
    config:
      registry-mirrors: null

- name: Configure an old engine through its command line
  dockyard.trusted_registry.docker_daemon:
    target: docker_opts
    list_items:
      insecure-registries:
        present: ["10.20.0.0/16"]
"""

RETURN = r"""
action:
  description: What was done to the engine, or would be in check mode.
  returned: always
  type: str
  choices: [none, reload, restart, start]
  sample: reload
changed_keys:
  description: Keys whose value in the file changed.
  returned: always
  type: list
  elements: str
  sample: [insecure-registries]
restart_keys:
  description: Keys on account of which a reload is not enough.
  returned: always
  type: list
  elements: str
  sample: [log-opts]
drift:
  description: Keys that stood in the file as declared while the engine ran with another value.
  returned: always
  type: dict
  sample: {"insecure-registries": {"declared": ["registry.example.com:5000"], "running": []}}
conflicts:
  description: Flags that set a key which is also in the file, each with the file in which it stands. Not empty only on failure.
  returned: always
  type: list
  elements: dict
  sample: [{"key": "log-driver", "flag": "--log-driver=syslog", "source": "/etc/systemd/system/docker.service.d/10-log.conf"}]
backup_file:
  description: The backup of the previous file.
  returned: always
  type: str
  sample: /etc/docker/daemon.json.20261123T081542123456Z.bak
engine:
  description: The engine as it is afterwards.
  returned: always
  type: dict
  sample:
    installed: true
    running: true
    enabled: true
    version: 20.10.24+dfsg1
    binary: /usr/sbin/dockerd
    service: docker.service
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon import DockerDaemon
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import PlanError, secrets


def main():
    module = AnsibleModule(
        argument_spec={
            "config": {"type": "dict", "default": {}},
            "list_items": {"type": "dict", "default": {}},
            "exclusive": {"type": "bool", "default": False},
            "target": {"type": "str", "choices": ["daemon_json", "docker_opts"], "default": "daemon_json"},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "options_file": {"type": "path", "default": "/etc/default/docker"},
            "broken_file": {"type": "str", "choices": ["fail", "replace"], "default": "fail"},
            "service": {"type": "str", "default": "docker"},
            "started": {"type": "bool", "default": True},
            "enabled": {"type": "bool", "default": False},
            "restart": {"type": "str", "choices": ["allowed", "never"], "default": "allowed"},
            "missing_engine": {"type": "str", "choices": ["fail", "configure"], "default": "fail"},
            "socket": {"type": "path"},
            "timeout": {"type": "int", "default": 60},
            "backups": {"type": "int", "default": 5},
        },
        supports_check_mode=True,
    )
    # A proxy password in config must not come back in the module's invocation.
    module.no_log_values.update(secrets(module.params["config"]))
    if not os.path.isdir("/run/systemd/system"):
        module.fail_json(msg="This host does not run systemd, through which the engine is reloaded and restarted.")
    daemon = DockerDaemon(module.params, module.run_command, module.atomic_move, module.tmpdir, module.check_mode)
    try:
        module.exit_json(**daemon.run())
    except (PlanError, EngineError, OSError) as error:
        daemon.result.update(changed=False, msg=str(error))
        module.fail_json(**daemon.result)


if __name__ == "__main__":
    main()
