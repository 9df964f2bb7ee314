# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""dockerd's command-line flags: which the unit sets and where, what conflicts with daemon.json, and DOCKER_OPTS. No I/O."""

from __future__ import annotations

import re
import shlex
from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_keys import FLAGS, KEYS
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import PlanError, merge

VARIABLE = "DOCKER_OPTS"
# text: as written; source: the file in which it stands
Flag = namedtuple("Flag", "name value text source")
# argv: (word, source) of dockerd's command line as the next start will see it; variables: name -> file it is read from
CommandLine = namedtuple("CommandLine", "binary flags environment_files variables")

_ASSIGNMENT = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.DOTALL)


def command_line(unit_files, read):
    """What the unit starts.

    unit_files: paths in the order systemd applies them, the unit first; read: path -> text, None when there is no such file.
    """
    start, start_source, environment, environment_files = "", None, {}, []
    for path in unit_files:
        for name, value in _service_settings(read(path) or ""):
            if name == "ExecStart":
                start, start_source = value, path
            elif name == "Environment":
                for word in _split(value):
                    match = _ASSIGNMENT.match(word)
                    if match:
                        environment[match.group(1)] = (match.group(2), path)
            elif name == "EnvironmentFile":
                environment_files = [*environment_files, value.lstrip("-")] if value else []
    for path in environment_files:
        for name, value in environment_file(read(path) or "").items():
            environment[name] = (value, path)

    words, used = [], set()
    for word in _split(start.lstrip("-@:+!")):
        match = re.match(r"^\$([A-Za-z_][A-Za-z0-9_]*)$", word)
        if match:
            used.add(match.group(1))
            value, source = environment.get(match.group(1), ("", None))
            words += [(part, source) for part in _split(value)]
        else:
            words.append(
                (
                    re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", lambda m: environment.get(m.group(1), ("",))[0], word),
                    start_source,
                )
            )
    binary = words[0][0] if words else None
    return CommandLine(binary, parse_flags(words[1:]), environment_files, used)


def _service_settings(text):
    section = None
    for line in _logical_lines(text):
        if line.startswith("["):
            section = line.strip("[] \t")
        elif section == "Service" and "=" in line:
            name, _equals, value = line.partition("=")
            yield name.strip(), value.strip()


def _logical_lines(text):
    """Lines of a unit or environment file: comments dropped, continuations joined."""
    held = ""
    for line in text.splitlines():
        if line.lstrip()[:1] in ("#", ";"):
            continue
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        whole, held = (held + line).strip(), ""
        if whole:
            yield whole
    if held.strip():
        yield held.strip()


def _split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def environment_file(text):
    """The assignments of an environment file, as systemd reads them: the last one of a name counts."""
    found = {}
    for line in _logical_lines(text):
        match = _ASSIGNMENT.match(line)
        if match:
            found[match.group(1)] = _unquote(match.group(2).strip())
    return found


def _unquote(value):
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        quote, value = value[0], value[1:-1]
        return re.sub(r"\\([\"\\$`])", r"\1", value) if quote == '"' else value
    return value


def parse_flags(words):
    """Flags from (word, source) pairs; -x, -xVALUE, --x, --x=VALUE and --x VALUE are all understood."""
    flags, rest = [], list(words)
    while rest:
        word, source = rest.pop(0)
        if not word.startswith("-") or word in ("-", "--"):
            continue
        body = word.lstrip("-")
        name, equals, value = body.partition("=")
        text = _quote(word)
        if not word.startswith("--") and not equals and len(body) > 1:
            name, value, equals = body[0], body[1:], "="
        key = KEYS.get(FLAGS.get(name))
        boolean = key.kind == "bool" if key else False
        if not equals:
            if boolean or not rest or (not key and rest[0][0].startswith("-")):
                value = "true"
            else:
                value = rest.pop(0)[0]
                text = f"{text} {_quote(value)}"
        flags.append(Flag(name, value, text, source))
    return flags


def _quote(word):
    return shlex.quote(word) if re.search(r"[\s\"'\\]", word) else word


def flags_as_config(flags):
    """The same settings as keys of daemon.json, where they can be expressed so."""
    config = {}
    for flag in flags:
        name = FLAGS.get(flag.name)
        kind = KEYS[name].kind if name else None
        if kind == "list":
            config.setdefault(name, []).append(flag.value)
        elif kind == "map":
            option, _equals, value = flag.value.partition("=")
            config.setdefault(name, {})[option] = value
        elif kind == "bool":
            config[name] = flag.value.lower() in ("true", "1", "t")
        elif kind == "int":
            config[name] = int(flag.value) if flag.value.lstrip("-").isdigit() else flag.value
        elif kind in ("str", "size"):
            config[name] = flag.value
        elif name == "runtimes":
            runtime, _equals, path = flag.value.partition("=")
            config.setdefault(name, {})[runtime] = {"path": path}
    return config


def conflicts(content, flags):
    """Keys that stand in the file and as a flag; with one of them the engine neither starts nor reloads."""
    keys = set()
    for key, value in content.items():
        keys |= set(value) if key == "proxies" and isinstance(value, dict) else {key}
    # The engine itself merges runtimes from both places.
    return [flag for flag in flags if FLAGS.get(flag.name) in keys - {"runtimes"}]


def conflict_message(found, service, path):
    lines = [f"{FLAGS[flag.name]} ({flag.text} in {flag.source})" for flag in found]
    message = (
        f"The engine refuses a key that is set both by a flag of {service} and in {path}: {', '.join(lines)}. "
        f"Nothing was changed. Take the flag out there, or leave the key out of {path}."
    )
    if any(FLAGS[flag.name] == "hosts" for flag in found):
        message += " To keep hosts in the file, add a drop-in that clears ExecStart and starts dockerd without -H."
    return message


def plan_options(text, request, path):
    """The options file with DOCKER_OPTS as declared: (text, flags before, flags after)."""
    present = environment_file(text or "").get(VARIABLE, "")
    before = parse_flags([(word, path) for word in _split(present)])
    current = flags_as_config(before)
    wanted = merge(current, request, path)
    touched = set(current) | set(wanted) if request.exclusive else set(request.config) | set(request.list_items)
    flags = {key: _key_as_flags(key, wanted[key], path) for key in touched if key in wanted}
    # An unknown flag belongs to somebody else, unless nobody else is to own any.
    strangers = request.exclusive and any(flag.name not in FLAGS for flag in before)
    if not strangers and all(flags_as_config(flags.get(key, [])).get(key) == current.get(key) for key in touched):
        return text, before, before
    after, written = [], set()
    for flag in before:
        key = FLAGS.get(flag.name)
        if key not in touched:
            if key or not request.exclusive:
                after.append(flag)
        elif key not in written:
            written.add(key)
            after += flags.get(key, [])
    after += [flag for key in flags if key not in written for flag in flags[key]]
    return _set_variable(text or "", " ".join(flag.text for flag in after)), before, after


def _key_as_flags(key, value, path):
    kind = KEYS[key].kind if key in KEYS else None
    name = "--" + (KEYS[key].flag or key if key in KEYS else key)
    if kind == "list":
        values = value
    elif kind == "map":
        values = ["{}={}".format(*item) for item in value.items()]
    elif kind == "bool":
        values = ["true" if value else "false"]
    elif kind in ("str", "int", "size"):
        values = [str(value)]
    else:
        raise PlanError(f"{key} cannot be expressed as a flag in {VARIABLE}; declare it with target=daemon_json.")
    for item in values:
        if not item or re.search(r"[\s\"'\\$`;]", item):
            raise PlanError(
                f"{key}: {item!r} cannot stand in {VARIABLE}: it is empty or holds blanks, quotes, a backslash or a dollar sign."
            )
    return parse_flags([(f"{name}={item}", path) for item in values])


def _set_variable(text, value):
    """Replace the last assignment, which is the one that counts, in its place; the rest of the file stays as it is."""
    line = '{}="{}"'.format(VARIABLE, value.replace("\\", "\\\\").replace('"', '\\"'))
    pattern = re.compile(rf"^[ \t]*{VARIABLE}=(?:.*\\\n)*.*$", re.MULTILINE)
    found = list(pattern.finditer(text))
    if found:
        return text[: found[-1].start()] + line + text[found[-1].end() :]
    return text + ("" if not text or text.endswith("\n") else "\n") + line + "\n"
