# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""The one place where an API module meets AnsibleModule: arguments, check mode, errors, result."""

from __future__ import annotations

from contextlib import closing

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_http
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import ARGUMENTS, Unfinished, apply_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


def connection_arguments(prefix):
    """The options of a connection, with the environment as fallback: PREFIX_HOST, PREFIX_USERNAME and so on."""

    def option(name, **more):
        return {**more, "fallback": (env_fallback, [f"{prefix}_{name}"])}

    return {
        "host": option("HOST", type="str", required=True),
        "username": option("USERNAME", type="str"),
        "password": option("PASSWORD", type="str", no_log=True),
        "token": option("TOKEN", type="str", no_log=True),
        "ca_path": option("CA_PATH", type="path"),
        "client_cert": option("CLIENT_CERT", type="path"),
        "client_key": option("CLIENT_KEY", type="path", no_log=False),
        "validate_certs": option("VALIDATE_CERTS", type="bool", default=True),
        "timeout": option("TIMEOUT", type="int", default=30),
        "retries": option("RETRIES", type="int", default=5),
        "threads": {"type": "int", "default": 8},
    }


class Module(AnsibleModule):
    """An AnsibleModule that shows no options in a refusal that comes before it knows what to conceal."""

    concealed = False

    def fail_json(self, msg, **kwargs):
        """As AnsibleModule's."""
        if not self.concealed:
            kwargs["invocation"] = {"module_args": {}}
            if msg == "missing required arguments: host":
                msg += ". Give it in the task, in module_defaults, or in the environment as DTR_HOST or UCP_HOST"
        super().fail_json(msg, **kwargs)


def run(product, arguments, work, conceal=None, **more):
    """A whole module.

    product: has prefix and connect(params, read_only); arguments: the module's own options; more: handed to AnsibleModule.
    conceal(params): strings that must stand nowhere in the output, beside the options that are secret as a whole.
    work(client, params, check_mode): returns the result; may raise ApiError, InputError or Unfinished.
    """
    module = Module(
        argument_spec={**connection_arguments(product.prefix), **arguments}, supports_check_mode=True,
        no_log=bool(conceal),   # keeps the options out of the journal, which is written before conceal can be asked
        required_together=[("client_cert", "client_key"), *more.pop("required_together", [])], **more)
    if conceal:
        module.no_log_values.update(conceal(module.params))
    module.concealed = True
    missing = empty(module.argument_spec, module.params)
    if missing:
        module.fail_json(msg=f"{missing[0]} is required but empty: is the variable behind it empty? Give it a value.")
    if _api_http.MISSING:
        module.fail_json(msg=missing_required_lib("requests"), exception=_api_http.MISSING)
    if not module.params["validate_certs"]:
        module.warn(f"The certificate of {module.params['host']} is not verified: anyone in between can read the credentials and change"
                    " the answers. Give ca_path instead of validate_certs=false.")
    client = None
    try:
        client = product.connect(module.params, module.check_mode)
        with closing(client):
            result = work(client, module.params, module.check_mode)
    except (ApiError, InputError, Unfinished) as error:
        done = {"changes": [change.report() for change in error.done]} if isinstance(error, Unfinished) else {}
        module.fail_json(msg=str(error), changed=client is not None and client.http.changed, **done)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def empty(spec, params, at=""):
    """Names of required options that are empty, at any depth: AnsibleModule lets an explicit null pass, and takes no default for it either.

    spec: argument spec; params: options; where the spec has a default, null becomes it.
    """
    found = []
    for name, option in spec.items():
        value = params.get(name)
        if value is None and option.get("default") is not None:
            value = params[name] = option["default"]
        if value in (None, "") and option.get("required"):
            found.append(at + name)
        inner = {f"{at}{name}[{number}].": one for number, one in enumerate(value)} if isinstance(value, list) else {f"{at}{name}.": value}
        for where, one in inner.items():
            if option.get("options") and isinstance(one, dict):
                found += empty(option["options"], one, where)
    return found


def run_items(product, items, arguments, **more):
    """A list module; items: a subclass of _api_items.Items."""
    run(product, {**ARGUMENTS, **arguments}, lambda client, params, check: apply_items(items(client, params), check), **more)
