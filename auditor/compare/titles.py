"""What a cause is called where its entry stands for several: by entry and the last word of the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auditor.compare import catalogue
from auditor.compare.recognise.cause import Cause

_TITLES: Final[Mapping[tuple[str, str], str]] = {
    ("BWD-00", "untracked"): "Weights that compute and that one side does not know of",
    ("DATA-00", "arrangement"): "Inputs with their numbers in other places",
    ("DATA-00", "axes"): "Inputs with other neighbours",
    ("DATA-00", "batches"): "One batch again and again",
    ("DATA-00", "changed"): "Some inputs with another target",
    ("DATA-00", "classes"): "Classes put together on one side",
    ("DATA-00", "given"): "The target among the inputs",
    ("DATA-00", "mean"): "Inputs or targets about another mean",
    ("DATA-00", "numbering"): "Classes of other numbers",
    ("DATA-00", "pairing"): "Inputs and targets shuffled apart",
    ("DATA-00", "range"): "Inputs or targets coded otherwise",
    ("DATA-00", "repeats"): "Inputs augmented or drawn anew on one side",
    ("DATA-00", "resolution"): "Inputs rounded on one side",
    ("DATA-00", "units"): "Evaluation on inputs in other units",
    ("DATA-03", "rows"): "Evaluation on rows of the training data",
    ("SCH-03", "epochs"): "Length of the training",
    ("FWD-00", "backwards"): "A sequence that is read from its end",
    ("FWD-00", "causal"): "Causal mask of attention",
    ("FWD-00", "padded"): "Padding mask of attention",
    ("FWD-00", "shift"): "A constant added on one side",
    ("FWD-00", "sums"): "Residual connections",
    ("FWD-00", "unread"): "A part of a layer's output that nobody reads",
    ("FWD-00", "weights"): "Weights that one side lacks",
    ("LOSS-00", "terms"): "Terms of the loss",
    ("LOSS-00", "weights"): "Weights of several losses",
    ("OPT-00", "between"): "Weights moved between steps",
    ("OPT-00", "frozen"): "Weights that do not train on one side",
    ("OPT-00", "interrupted"): "Weights moved by something else at some steps",
    ("OPT-00", "left_over"): "An optimizer that remembers weights which were replaced",
    ("OPT-00", "steps_per_gradient"): "Several steps with one gradient",
    ("OPT-00", "unexplained"): "Weights that another rule moves",
}


def title(cause: Cause) -> str:
    """The title of a cause, else that of its entry in the catalogue."""
    last = "units" if cause.parameter == "data.evaluation.scale" else cause.parameter.rpartition(".")[2]
    return _TITLES.get((cause.id, last)) or catalogue.entry(cause.id).title
