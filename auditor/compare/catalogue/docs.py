"""Writes docs/causes from the catalogue: a page per entry, an index. ``--check`` only says whether they are current."""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from auditor.compare.catalogue import FOLDER, Entry, entries, measured
from auditor.compare.catalogue.pages import KINDS, Page, pages
from auditor.compare.identify.fact import STAGES

NAMES: Final[Mapping[str, str]] = {
    "torch": "PyTorch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "sklearn": "scikit-learn",
    "any": "Everywhere",
}
_ID: Final = re.compile(r"\b([A-Z]+-\d\d)\b")
_HEAD: Final = """# Why do they differ? Causes by symptom and by stage

Generated from `auditor/compare/catalogue/` by `python -m auditor.compare.catalogue.docs`; do not edit.

Differences between PyTorch, Keras, TensorFlow and scikit-learn, each measured, with what one sees, why, and the line
that aligns them. Look for your symptom below, or let `auditor compare A B` name the cause from two recorded runs and
`auditor parity` from two programs in lockstep. `auditor causes list WORDS` searches, `auditor causes show ID` prints a
page. The facts are measured again by `tests/unit/compare/reproduced` in the frameworks that are installed.

Most differences here are real and harmless. What matters is said under "How much it matters".
"""


def page(entry: Entry, told: Page) -> str:
    """The page of one entry."""
    parts = [
        f"# {told.symptom}\n",
        f"`{entry.id}` · {entry.title} · stage {_stage(entry.stage)} · [all causes](README.md)\n",
        f"## What you see\n\n{_linked(told.see, entry.id)}\n",
        f"## Why\n\n{_linked(told.why, entry.id)}\n",
        *_frameworks(entry),
        f"## How to make them agree\n\n{''.join(_fixes(entry))}",
        f"## How much it matters\n\n{_sentence(entry.effect)}\n",
        f"## How it is found\n\n{''.join(_found(entry))}",
        *_measured(entry),
    ]
    return "\n".join(parts)


def _stage(name: str) -> str:
    """As a comparison's answer calls it, which knows schedules as a part of the optimizer (MISMATCHES.md)."""
    return "`optimizer` (schedule)" if name == "schedule" else f"`{name}`"


def _frameworks(entry: Entry) -> Iterator[str]:
    said = {NAMES[name]: text for name, text in entry.says.items()}
    if said:
        rows = "".join(f"| {name} | {_linked(_cell(text), entry.id)} |\n" for name, text in said.items())
        yield f"## What each does by itself\n\n| | |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _fixes(entry: Entry) -> Iterator[str]:
    lines: dict[str, list[str]] = {}
    for name in NAMES:
        if name in entry.fix:
            lines.setdefault(entry.fix[name], []).append(NAMES[name])
    for line, names in lines.items():
        yield f"- {', '.join(names)}: {_line(line)}\n"
    if not entry.fix:
        yield _sentence(entry.align) + "\n"


def _line(text: str) -> str:
    """A line of code as code, with its comment beside it; words as words."""
    code, _, comment = text.partition("  #")
    if is_code(code):
        return f"`{code}`" + (f" ({comment.strip()})" if comment else "")
    return _cell(text)


def is_code(line: str) -> bool:
    """Whether a line is Python, and more than a word."""
    try:
        ast.parse(line)
    except SyntaxError:
        return False
    return bool(re.search(r"[(=]", line))


def _found(entry: Entry) -> Iterator[str]:
    if entry.told_from_numbers:
        yield f"- From recorded numbers: {entry.numbers}.\n"
    else:
        yield f"- Not from recorded numbers: {entry.numbers.removeprefix('cannot be told: ')}.\n"
    if entry.declared:
        yield f"- From what the program declares: {entry.declared}.\n"
    if entry.parameters and (entry.told_from_numbers or entry.declared):
        yield f"- Named {', '.join(f'`{name}`' for name in entry.parameters)}.\n"


def _measured(entry: Entry) -> Iterator[str]:
    if not entry.evidence:
        return
    stated = ", ".join(f"{NAMES[name]} {bounds}" for name, bounds in entry.versions.items())
    yield (
        f"## As measured\n\nStated for {stated}. Measured {measured()}; measured again by the test of `{entry.id}` in "
        f"`tests/unit/compare/reproduced/`.\n\n> {_cell(' '.join(entry.evidence.split()))}\n"
    )


def _sentence(text: str) -> str:
    told = text.strip()
    return told[:1].upper() + told[1:] + ("" if told.endswith(".") else ".")


def _linked(text: str, own: str) -> str:
    """The text with other entries' ids as links."""
    known = entries()
    return _ID.sub(lambda hit: f"[{hit[1]}]({hit[1]}.md)" if hit[1] in known and hit[1] != own else hit[1], text)


def index() -> str:
    """The list of all pages, by symptom and by stage."""
    parts = [_HEAD, "## By symptom\n"]
    for kind, heading in KINDS.items():
        rows = [f"- [{told.symptom}]({name}.md)\n" for name, told in pages().items() if kind in told.kind]
        parts.append(f"### {heading}\n\n{''.join(rows)}")
    parts.append("## By stage\n\nIn the order in which a step runs; the earliest stage that differs is the cause.\n")
    for stage in STAGES:
        rows = [
            f"| [{entry.id}]({entry.id}.md) | {_cell(entry.title)} | {'yes' if entry.told_from_numbers else 'no'} |\n"
            for entry in sorted(entries().values(), key=lambda one: one.id)
            if entry.stage == stage
        ]
        if rows:
            head = _stage(stage).replace("`", "")
            parts.append(f"### {head}\n\n| id | what differs | told from numbers |\n|---|---|---|\n{''.join(rows)}")
    return "\n".join(parts)


def files() -> dict[str, str]:
    """Every page by its file name."""
    made = {f"{name}.md": page(entry, pages()[name]) for name, entry in entries().items()}
    return {"README.md": index(), **made}


def main(arguments: list[str] | None = None) -> int:
    """Writes the pages, or with ``--check`` compares them; 1 if they are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the checkout")
    options = parser.parse_args(arguments)
    folder, made = options.root / FOLDER, files()
    there = {path.name: path for path in folder.glob("*.md")}
    if not options.check:
        folder.mkdir(parents=True, exist_ok=True)
        for name in there.keys() - made.keys():
            there[name].unlink()
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
        return 0
    stale = [name for name, text in made.items() if name not in there or there[name].read_text("utf-8") != text]
    stale += sorted(there.keys() - made.keys())
    for name in stale:
        sys.stderr.write(f"{FOLDER}/{name} is not current: run python -m auditor.compare.catalogue.docs\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
