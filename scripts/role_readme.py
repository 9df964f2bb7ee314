# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes each role's option table from meta/argument_specs.yml and defaults/main.yml into its README, between two marker lines.

    python scripts/role_readme.py           write
    python scripts/role_readme.py --check   write nothing, exit 1 naming each README that is out of date
"""

from __future__ import annotations

import pathlib
import re
import sys

import yaml

BEGIN, END = "<!-- argument-specs:begin -->", "<!-- argument-specs:end -->"
MARKUP = re.compile(r"\b[OVCEIBMF]\(([^)]*)\)")


def text(description: str | list[str]) -> str:
    """Plain one-line Markdown from a description with Ansible's semantic markup."""
    joined = " ".join(description) if isinstance(description, list) else description
    return MARKUP.sub(r"`\1`", " ".join(joined.split())).replace("|", "\\|")


def cell(value: object) -> str:
    """A default as it would stand in YAML, short enough for a table."""
    if value is None:
        return ""
    shown = yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()
    return f"`{shown}`" if len(shown) <= 60 else "see `defaults/main.yml`"


def rows(options: dict, defaults: dict, prefix: str = "") -> list[str]:
    """One table row an option, sub-options after their parent as `parent.child`."""
    found = []
    for name, option in options.items():
        kind = option.get("type", "str")
        if kind == "list":
            kind = f"list of {option.get('elements', 'str')}"
        default = "**required**" if option.get("required") else cell(option.get("default", defaults.get(name)))
        choices = f" One of {', '.join(f'`{c}`' for c in option['choices'])}." if "choices" in option else ""
        found.append(f"| `{prefix}{name}` | {kind} | {default} | {text(option['description'])}{choices} |")
        found += rows(option.get("options", {}), {}, f"{prefix}{name}.")
    return found


def table(role: pathlib.Path) -> str:
    """The Markdown between the markers: one table an entry point."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    defaults_file = role / "defaults/main.yml"
    defaults = (yaml.safe_load(defaults_file.read_text()) if defaults_file.exists() else None) or {}
    parts = []
    for entry_point, spec in specs.items():
        parts.append(f"### Entry point `{entry_point}`\n\n{text(spec['short_description'])}")
        options = rows(spec.get("options", {}), defaults)
        if options:
            parts.append("\n".join(["| option | type | default | meaning |", "| --- | --- | --- | --- |", *options]))
        else:
            parts.append("No options of its own.")
    return "\n\n".join(parts)


def main() -> int:
    stale = []
    root = pathlib.Path(__file__).resolve().parent.parent
    for role in sorted((root / "roles").iterdir()):
        readme = role / "README.md"
        before = readme.read_text()
        head, found, rest = before.partition(BEGIN)
        if not found or END not in rest:
            raise SystemExit(f"{readme}: the lines {BEGIN} and {END} are missing")
        after = f"{head}{BEGIN}\n\n{table(role)}\n\n{END}{rest.partition(END)[2]}"
        if after != before:
            stale.append(str(readme.relative_to(root)))
            if "--check" not in sys.argv:
                readme.write_text(after)
    if "--check" in sys.argv and stale:
        print(f"out of date, run 'make docs': {', '.join(stale)}")
        return 1
    print(f"role READMEs: {len(stale)} renewed" if "--check" not in sys.argv else "role READMEs are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
