"""Writes docs/rules.md from the rules; ``--check`` only says whether it is current."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import sys
from pathlib import Path
from typing import Final

from auditor.detect.registry import built_in
from auditor.detect.rule import Rule

PAGE: Final = Path("docs") / "rules.md"

_HEAD: Final = """# Rules

Generated from the rule modules in `auditor/detect/` by `python -m auditor.detect.docs`; do not edit.

`critical`: training is broken now. `warning`: likely wasted. `info`: worth a look. A rule whose needs
are not met stays silent, and `auditor show` says why. One alert is kept per run, attempt and rule; its
`evidence` holds the numbers the rule saw, and `root` names the rule of the alert that began the story.
Parameters are replaced, rules muted and added as docs/tuning.md says. Within a step the order is
loss, gradients from the last layer to the first, weights: of several tensors the first is named.

| id | severity | meaning |
|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    rows = "".join(f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.meaning} |\n" for rule in built_in())
    return _HEAD + rows + "".join(_section(rule) for rule in built_in())


def _section(rule: type[Rule]) -> str:
    module = inspect.getmodule(rule)
    lines = [
        f"\n## {rule.id}\n",
        f"{rule.meaning[0].upper()}{rule.meaning[1:]}. Severity `{rule.severity}`.\n",
        f"- **Needs**: {rule.needs}",
        f"- **Trigger**: {rule.trigger}",
        f"- **Source**: {rule.source}",
        f"- **Likely causes**: {'; '.join(rule.likely_causes)}",
    ]
    if rule.hold_steps:
        lines.append(f"- **Pending** for {rule.hold_steps} steps before it fires")
    if rule.consequence_of:
        lines.append(f"- **May follow from**: {', '.join(f'`{name}`' for name in rule.consequence_of)}")
    if module is not None:
        lines.append(f"- **Code**: `{module.__name__.replace('.', '/')}.py`")
    return "\n".join(lines) + "\n" + _defaults(rule)


def _defaults(rule: type[Rule]) -> str:
    fields = dataclasses.fields(rule.Parameters)
    if not fields:
        return ""
    rows = "".join(f"| `{field.name}` | {field.default:g} |\n" for field in fields)
    text = " ".join((inspect.getdoc(rule.Parameters) or "").split())
    return f"\n| parameter | default |\n|---|---|\n{rows}\n{text}\n"


def main(arguments: list[str] | None = None) -> int:
    """Writes the page, or with ``--check`` compares it; 1 if it is not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the checkout")
    options = parser.parse_args(arguments)
    path, text = options.root / PAGE, page()
    if not options.check:
        path.write_text(text, encoding="utf-8")
        return 0
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    if current != text:
        sys.stderr.write(f"{PAGE} is not current: run python -m auditor.detect.docs\n")
    return int(current != text)


if __name__ == "__main__":
    sys.exit(main())
