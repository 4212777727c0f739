"""The words of an alert: a rule's templates, filled with what it saw."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auditor.detect.rule import Rule
from auditor.model import Subject

#: Ranks named in a sentence; the rest are counted.
MAX_NAMED: Final = 4


class _Lenient(string.Formatter):
    """Says "?" for a field that the evidence does not have, "NaN" where a number was to be formatted."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        del args
        return kwargs.get(str(key), "?")

    def format_field(self, value: Any, format_spec: str) -> str:
        return str(value) if isinstance(value, str) else format(value, format_spec)


def facts(
    subject: Subject, step: int, evidence: Mapping[str, Any], ranks: Sequence[int], affected: int
) -> dict[str, Any]:
    """The fields that a template may name.

    ``kind``, ``name``, ``step``: of the first sighting; ``where``: " on rank 3" or " on ranks 0, 1",
    empty for a single rank 0; ``more``: " and 3 more" for further tensors, empty for none; and every
    number of the evidence.
    """
    more = f" and {affected - 1} more" if affected > 1 else ""
    return {
        **evidence,
        "kind": subject.kind,
        "name": subject.name,
        "step": step,
        "where": _where(ranks),
        "more": more,
    }


def _where(ranks: Sequence[int]) -> str:
    if not ranks or tuple(ranks) == (0,):
        return ""
    if len(ranks) == 1:
        return f" on rank {ranks[0]}"
    named = ", ".join(str(rank) for rank in ranks[:MAX_NAMED])
    rest = f" and {len(ranks) - MAX_NAMED} more" if len(ranks) > MAX_NAMED else ""
    return f" on ranks {named}{rest}"


def summary(rule: type[Rule] | None, rule_id: str, fields: Mapping[str, Any]) -> str:
    """One sentence; plain for a rule that is not installed here (a user's, since removed)."""
    template = rule.summary if rule else "Rule " + rule_id + " fired for {kind} {name} at step {step}{where}."
    return fill(template, fields)


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """``template`` with its fields; only the template is trusted, a hostile name is just text."""
    return _Lenient().vformat(template, (), fields)
