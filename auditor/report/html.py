"""A comparison as one HTML page: opens offline, loads nothing, runs nothing.

The page forbids itself everything but its own style (``default-src 'none'``). Whatever comes from a
run is escaped on its way in: :func:`text` is the only door.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from auditor.cli.render import clean, number, subject
from auditor.compare.catalogue.pages import pages
from auditor.report import plots
from auditor.report.words import because, part_of, said, said_of_test, where_they_part

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_TITLES = {"loss": "Loss", "grad_norm": "Global gradient norm"}
_SENTENCES = {
    "equivalent": "The two sides are the same, or end within the stated margin of each other.",
    "mismatch": "The two sides compute different things, or ended differently beyond what chance explains.",
    "inconclusive": "From these runs it cannot be said whether they differ in a way that matters.",
}
_CONFIGURATION = {
    "same": "They declare the same configuration.",
    "differs": "They declare different configurations.",
    None: "Their configurations cannot be compared.",
}


def comparison_page(found: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """The page of one comparison.

    Args:
        found: JSON of ``/v1/compare``.
        a: the ``show`` JSON of the first run.
        b: that of the second.
    """
    return comparisons_page([(found, a, b)])


def comparisons_page(comparisons: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """The page of one comparison or more, each with the ``show`` JSON of its two first runs."""
    names = list(dict.fromkeys(_name(run) for _, *sides in comparisons for run in sides))
    bodies = [_body(found, a, b, f"c{place}") for place, (found, a, b) in enumerate(comparisons)]
    return page(" and ".join(names), "\n".join([*bodies, _foot()]))


def _body(found: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any], ident: str) -> str:
    parts = (
        *(_head(found, f"{_name(a)} and {_name(b)}"), _sides(a, b), _groups(found), _causes(found)),
        *(_curves(found, ident), _metrics(found), _differences(found)),
    )
    return "\n".join(parts)


def _groups(found: Mapping[str, Any]) -> str:
    """The runs of each side, where one has several."""
    if all(len(found[side]["runs"]) == 1 for side in "ab"):
        return ""
    listed = "; ".join(f"{side.upper()}: {text(', '.join(found[side]['runs']))}" for side in "ab")
    return f'<p class="small">Runs of each side, the first of which speaks for its configuration: {listed}.</p>'


def page(title: str, body: str) -> str:
    """A whole page; ``body`` is HTML, the title is not."""
    style = resources.files("auditor.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)} · Training Auditor</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def text(value: Any) -> str:
    """``value`` as HTML text: markup escaped, control and direction-changing characters replaced."""
    return html.escape(clean(value), quote=True)


def _name(shown: Mapping[str, Any]) -> str:
    return str(shown.get("name") or shown["run"])


def _badge(word: Any) -> str:
    return f'<span class="verdict {_class(word)}">{text(word)}</span>'


_VERDICTS = {"equivalent", "inconclusive", "mismatch", "healthy", "suspect", "diverged"}
_CLASSES = _VERDICTS | {"running", "finished", "failed", "stopped"} | {"critical", "warning", "info"}


def _class(word: Any) -> str:
    """A word as a CSS class, if it is one of ours."""
    return str(word) if word in _CLASSES else ""


def _head(found: Mapping[str, Any], title: str) -> str:
    reasons = "".join(f"<li>{text(reason)}</li>" for reason in found.get("reasons", ()))
    at = found.get("first_divergence")
    where = f"<p>First divergence: step {text(at['step'])}, stage <b>{text(at['stage'])}</b>.</p>" if at else ""
    return (
        f'<header>\n<p class="muted small">Comparison of two training runs</p>\n<h1 class="name">{text(title)}</h1>\n'
        f"<p>{_badge(found['verdict'])} {_SENTENCES[found['verdict']]} {_CONFIGURATION[found['configuration']]}</p>\n"
        f'{where}<ul class="small">{reasons}</ul>\n</header>'
    )


def _sides(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    return f'<section class="sides" aria-label="The runs">{side(a, "a", "A · ")}{side(b, "b", "B · ")}</section>'


def side(shown: Mapping[str, Any], colour: str, mark: str = "") -> str:
    """One run as a card: what it is, how it ended, its alerts."""
    pairs = (
        ("run", f"<code>{text(shown['run'])}</code>"), ("framework", text(shown.get("framework") or "-")),
        ("status", f'<span class="{_class(shown["status"])}">{text(shown["status"])}</span>'),
        *((("because", text(why)),) if (why := because(shown)) is not None else ()),
        ("steps", text(shown["steps"])),
        ("verdict", _badge(shown["verdict"])), ("last finite loss", text(number(shown.get("loss")))),
    )  # fmt: skip
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)
    alerts = "".join(_alert(alert) for alert in shown.get("alerts", ()))
    return (
        f'<article class="card side-{colour}"><h3 class="name">{mark}{text(_name(shown))}</h3>'
        f"<dl>{facts}</dl>{alerts or _NO_ALERT}</article>"
    )


_NO_ALERT = '<p class="muted small">No alerts.</p>'


def _alert(alert: Mapping[str, Any]) -> str:
    causes = "".join(f"<li>{text(cause)}</li>" for cause in alert.get("likely_causes") or ())
    first, last = alert.get("first_step"), alert.get("last_step")
    steps = f"step {text(first)}" if first == last else f"steps {text(first)} to {text(last)}"
    advice = f"<p>{text(alert['advice'])}</p>" if alert.get("advice") else ""
    return (
        f'<section class="card alert {_class(alert["severity"])}"><p><b class="{_class(alert["severity"])}">'
        f"{text(alert['severity'])}</b> <code>{text(alert['rule'])}</code> · {text(alert['state'])}</p>"
        f'<p class="name"><b>{text(subject(alert))}</b>, {steps}</p><p>{text(alert.get("summary", ""))}</p>'
        f"<details><summary>Likely causes, and what to do</summary>"
        f'<ul class="small">{causes}</ul>{advice}</details></section>'
    )


def _causes(found: Mapping[str, Any]) -> str:
    """Why they differ: a card per cause, the largest first, then what is harmless."""
    cards = "".join(
        f'<section class="card"><p><b>{place}. <code>{text(cause["id"])}</code></b> {text(cause["title"])} '
        f'<span class="muted">({text(cause["stage"])}, {text(cause["how"])})</span></p>'
        f"<p><code>{text(cause['parameter'])}</code>: A {text(said(cause['a']))}, B {text(said(cause['b']))}</p>"
        f"<p>{text(cause['effect'])}</p>{_follows(cause)}{_fix(cause)}"
        f"{_explained(cause)}</section>"
        for place, cause in enumerate(found["causes"], 1)
    )
    harmless = "".join(f"<li><code>{text(one['id'])}</code> {text(one['why'])}</li>" for one in found["harmless"])
    below = f'<h3>Differs without effect</h3><ul class="small">{harmless}</ul>' if harmless else ""
    return f"<h2>Why they differ</h2>\n{cards}{below}" if cards or below else ""


def _fix(cause: Mapping[str, Any]) -> str:
    where = text(str(cause.get("fix_in", "b")).upper())
    return f"<p>To align, in {where}: <code>{text(cause['fix'])}</code></p>"


def _follows(cause: Mapping[str, Any]) -> str:
    """Later stages that differ because of the cause, no causes themselves."""
    told = "; ".join(text(one["says"]) for one in cause.get("consequences", ()))
    return f'<p class="small muted">What follows from it: {told}.</p>' if told else ""


def _explained(cause: Mapping[str, Any]) -> str:
    """What the cause's page says, for a reader who has only this one."""
    told = pages().get(str(cause["id"]))
    if told is None:
        return ""
    stated = ", ".join(f"{name} {bounds}" for name, bounds in (cause.get("versions") or {}).items())
    where = f" Stated for {text(stated)}." if stated else ""
    return (
        f"<details><summary>{text(told.symptom)}</summary><p>{text(told.see)}</p><p>{text(told.why)}</p>"
        f'<p class="small muted">Page <code>{text(cause.get("page", ""))}</code>, or '
        f"<code>auditor causes show {text(cause['id'])}</code>.{where}</p></details>"
    )


def _curves(found: Mapping[str, Any], ident: str) -> str:
    parts = []
    for index, (name, drawn) in enumerate(found["trajectories"].items()):
        title = _TITLES.get(name, "Scalar")
        known = text(name) if name not in _TITLES else title
        both = plots.trajectory(drawn, title, f"{ident}p{index}")
        ratio = plots.ratio(drawn, title, f"{ident}r{index}") if drawn["common_steps"] else ""
        said_there = text(where_they_part(drawn))
        parts.append(
            f"<h2>{known}</h2>\n<figure>{both}<figcaption>{_KEYS} {said_there}</figcaption></figure>\n"
            f"<figure>{ratio}<figcaption>B / A at the same step; gaps where either is not finite</figcaption></figure>"
        )
    return "\n".join(parts) or '<h2>Trajectories</h2><p class="muted">No quantity was recorded by both runs.</p>'


_KEYS = '<span class="key"></span>A &nbsp; <span class="key b"></span>B &nbsp;·&nbsp;'


def _metrics(found: Mapping[str, Any]) -> str:
    items = found["metrics"].items()
    if not items:
        return ""
    rows = [(name, *(number(item[key]) for key in ("a", "b", "ratio"))) for name, item in items]
    columns: tuple[str, ...] = ("scalar", "A", "B", "B / A")
    if any(item["p_value"] is not None for _, item in items):
        columns += ("p", "equivalent within")
        rows = [(*row, *said_of_test(item)) for row, (_, item) in zip(rows, items, strict=True)]
    return f"<h2>Last finite values</h2>{_table(columns, rows, numbers=5)}"


def _differences(found: Mapping[str, Any]) -> str:
    head = "<h2>Declared differently</h2>"
    rows = [
        (
            item["parameter"],
            said(item["a"]),
            said(item["b"]),
            part_of(item),
        )
        for item in found["differences"]
    ]
    skipped = ", ".join(found["not_compared"])
    note = f'<p class="muted small">Not compared across frameworks: {text(skipped)}.</p>' if skipped else ""
    if not rows:
        known = "Nothing." if found["configuration"] else "Unknown: a manifest is missing."
        return f'{head}<p class="muted">{known}</p>{note}'
    return f"{head}{_table(('parameter', 'A', 'B', 'part of'), rows)}{note}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: int = 0) -> str:
    """A table; the last ``numbers`` columns hold numbers."""
    words = len(columns) - numbers

    def cell(tag: str, index: int, value: Any) -> str:
        kind = ' class="number"' if index >= words else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{kind}>{text(value)}</{tag}>"

    head = "".join(cell("th", index, name) for index, name in enumerate(columns))
    body = "".join(f"<tr>{''.join(cell('td', i, value) for i, value in enumerate(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _foot() -> str:
    return (
        '<footer><p class="muted small">A solid line is A, a dashed one B, each a running median '
        "over its values (faint); a cross marks the first value that is not "
        "finite. Written by <code>auditor compare</code>; this page loads nothing from anywhere.</p></footer>"
    )
