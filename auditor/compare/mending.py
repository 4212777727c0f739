"""The line that mends one cause: a setting with the other side's value, or the catalogue's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.compare import catalogue
from auditor.compare.recognise.cause import Cause

#: Settings of an update rule by the frameworks' words; the rest is called as it is canonically.
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "torch": {"learning_rate": "lr", "epsilon": "eps", "initial_accumulator": "initial_accumulator_value"},
    "sklearn": {"learning_rate": "learning_rate_init", "nesterov": "nesterovs_momentum"},
    "keras": {
        "decay": "rho", "initial_accumulator": "initial_accumulator_value", "clip_norm": "global_clipnorm",
        "clip_norm_per_variable": "clipnorm", "clip_value": "clipvalue",
    },
}  # fmt: skip
#: Optimizers by rule, in PyTorch and in Keras.
CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "adam": ("Adam", "Adam"), "sgd": ("SGD", "SGD"), "rmsprop": ("RMSprop", "RMSprop"), "nadam": ("NAdam", "Nadam"),
    "adagrad": ("Adagrad", "Adagrad"), "adadelta": ("Adadelta", "Adadelta"), "adamax": ("Adamax", "Adamax"),
}  # fmt: skip
#: Settings that every framework has which has the rule.
SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "sgd": ("learning_rate", "momentum", "nesterov"),
    "rmsprop": ("learning_rate", "decay", "momentum", "epsilon", "centered"),
    "adagrad": ("learning_rate", "initial_accumulator", "epsilon"),
    "adadelta": ("learning_rate", "decay", "epsilon"),
    "adamax": ("learning_rate", "beta_1", "beta_2", "epsilon"),
    "nadam": ("learning_rate", "beta_1", "beta_2", "epsilon"),
}
#: What PyTorch calls the memory of a second moment, by rule.
DECAYS: Final[Mapping[str, str]] = {"rmsprop": "alpha", "adadelta": "rho"}
_BETAS: Final = ("beta_1", "beta_2")
#: Lines of entries that stand for several differences, by the last word of the parameter.
_LINES: Final[Mapping[tuple[str, str], str]] = {
    ("DATA-00", "mean"): "feed both sides the same samples, shifted alike: the means differ beyond chance",
    ("DATA-00", "range"): "code and scale the values alike on both sides",
    ("DATA-00", "resolution"): "centre and scale before the cast: numbers far from zero keep few digits",
    ("DATA-00", "arrangement"): "put channels, columns and steps in one order on both sides",
    ("DATA-00", "repeats"): "augment both sides alike, or neither",
    ("DATA-00", "given"): "take the target one step after the inputs, and none of the inputs for it",
    ("DATA-00", "classes"): "code the classes alike on both sides, each by a number of its own",
    ("DATA-00", "pairing"): "shuffle inputs and targets by one permutation: x[p], y[p]",
    ("DATA-00", "changed"): "take the targets of both sides from one source: some rows have another label on each",
    ("DATA-00", "batches"): "make the loader's iterator once, not at every step",
    ("DATA-03", "rows"): "evaluate on rows that are not trained on",
    ("OPT-00", "frozen"): "give the optimizer all weights that are to be trained, and let none of them be frozen",
    ("OPT-00", "between"): "let nothing but the optimizer move the weights, or the same on both sides",
    ("OPT-00", "interrupted"): "let nothing but the optimizer move the weights, or the same on both sides",
    ("OPT-00", "left_over"): "make the optimizer anew once the weights are set; in scikit-learn: del model._optimizer",
    ("OPT-00", "steps_per_gradient"): "one step() for each backward()",
    ("OPT-00", "unexplained"): "move these weights by the same rule on both sides",
    ("FWD-00", "output"): "feed both models one batch and compare layer by layer: auditor parity a.py:make b.py:make",
    ("LOSS-00", "weights"): "weigh the losses of the outputs alike: loss_weights, or the factors in the sum",
    ("FWD-00", "unread"): "read all of the layer: of both directions the final states, not the last time step",
    ("FWD-00", "causal"): "mask attention alike: use_causal_mask=True in Keras, is_causal=True or a mask in PyTorch",
    ("FWD-00", "padded"): "mask padding alike: attention_mask or mask_zero=True in Keras, key_padding_mask in PyTorch",
    ("FWD-21", "skipped"): "skip padding alike: mask_zero=True in Keras, nn.utils.rnn.pack_padded_sequence in PyTorch",
    ("FWD-00", "shift"): "add the same constant on both sides: a table of positions, an offset",
    ("FWD-00", "sums"): "add what a block was given to what it gives, on both sides or on neither",
    ("BWD-00", "stopped"): "let gradients through alike: detach() and stop_gradient on both sides or on neither",
    ("FWD-00", "weights"): "give both sides the same layers, and share weights on both or on neither",
    ("MODE-03", "dropout"): "F.dropout(x, rate, training=self.training), or the layer nn.Dropout(rate)",
    ("DATA-00", "numbering"): "number the classes alike on both sides",
    ("DATA-00", "units"): "scale what is evaluated with the statistics of the training data",
    ("DATA-00", "axes"): "move axes with transpose, permute or moveaxis: reshape mixes the values up",
}
#: Lines with a value, of settings that every program has, by entry and parameter.
_VALUED: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("OPT-01", "update.learning_rate"): {
        "torch": "lr={0!r} where the optimizer is made", "keras": "learning_rate={0!r} where the optimizer is made",
        "sklearn": "model.set_params(learning_rate_init={0!r})",
    },
    ("DATA-02", "data.batch_size"): {
        "torch": "DataLoader(dataset, batch_size={0!r})", "keras": "model.fit(x, y, batch_size={0!r})",
        "tensorflow": "dataset.batch({0!r})", "sklearn": "model.set_params(batch_size={0!r})",
    },
    ("FWD-07", "dropout.rate"): {
        "torch": "nn.Dropout({0!r})", "keras": "keras.layers.Dropout({0!r})",
    },
    ("SCH-03", "update.epochs"): {
        "torch": "for epoch in range({0!r}): ...", "tensorflow": "for epoch in range({0!r}): ...",
        "keras": "model.fit(x, y, epochs={0!r}), or as many passes in a loop",
        "sklearn": "model.set_params(max_iter={0!r}, tol=0, n_iter_no_change=10**6)",
    },
}  # fmt: skip


def line(cause: Cause, frameworks: tuple[str, str]) -> str:
    """One line for the program of the side that ``cause.mend`` names.

    Args:
        cause: what differs.
        frameworks: of the two sides.
    """
    at = at_fault(cause)
    rule, _, name = cause.parameter.partition(".")
    wanted, framework = cause.values[1 - at], frameworks[at]
    made = _setting(rule, name, wanted, framework) or _valued(cause, wanted, framework)
    last = "units" if cause.parameter == "data.evaluation.scale" else cause.parameter.rpartition(".")[2]
    made = made or _activation(cause, wanted) or _LINES.get((cause.id, last))
    return made or catalogue.entry(cause.id).fix_for(framework)


def _setting(rule: str, name: str, wanted: Any, framework: str) -> str | None:
    """The optimizer with one setting of the other side; None where that is no matter of one setting."""
    known = (*SETTINGS.get(rule, ()), *(("dampening",) if (rule, framework) == ("sgd", "torch") else ()))
    if name not in known or not isinstance(wanted, (bool, int, float)):
        return None
    word = WORDS.get(framework, {}).get(name, name)
    if framework == "sklearn":
        return f"model.set_params({word}={wanted!r})" if rule in {"sgd", "adam"} and name != "amsgrad" else None
    if framework == "torch":
        return f"torch.optim.{CLASSES[rule][0]}(params, {_torch(rule, name, word, wanted)})"
    return f"keras.optimizers.{CLASSES[rule][1]}({WORDS['keras'].get(name, name)}={wanted!r})"


def _torch(rule: str, name: str, word: str, wanted: Any) -> str:
    if name in _BETAS:
        pair = (repr(wanted), _BETAS[1]) if name == _BETAS[0] else (_BETAS[0], repr(wanted))
        return f"betas=({', '.join(pair)})"
    if name == "nesterov" and wanted:  # PyTorch refuses it without a momentum, and with a dampening
        return f"momentum=momentum, dampening=0, nesterov={wanted!r}"
    return f"{DECAYS[rule] if name == 'decay' else word}={wanted!r}"


#: What is never meant, by parameter: the side that has it is the one to mend, whichever was named first.
_FAULTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "mode.train": lambda value: value != "true",
    "mode.train.later": lambda value: value != "true",
    "mode.eval": lambda value: value != "false",
    "loss.takes": lambda value: (
        str(value).startswith(("softmax of", "logits of a sigmoid")) or "taken for" in str(value)
    ),
    "data.shuffle": lambda value: str(value).startswith("sorted"),
    "data.order": lambda value: value in {"the same in every epoch", "as stored"},
    "data.input.batches": lambda value: value == "one batch",
    "recurrent.skipped": lambda value: value == "reads padding",
    "data.target.given": lambda value: str(value).startswith("input "),
}
#: Parameters of entries of which one side lacks a part.
_LACKS: Final = frozenset({("LOSS-16", "penalty.gradient_factor"), ("LOSS-16", "penalty.l1")})


def at_fault(cause: Cause) -> int:
    """The side whose program a fix is for: the one that does what nobody means, else as the cause says."""
    wrong = _FAULTS.get(cause.parameter)
    if (cause.id, cause.parameter) in _LACKS:
        wrong = _nothing
    sides = [] if wrong is None else [wrong(value) for value in cause.values]
    return sides.index(True) if sides.count(True) == 1 else "ab".index(cause.mend)


def _nothing(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == 0


def _activation(cause: Cause, wanted: Any) -> str | None:
    """What to apply, or to take away; None where it is more than one function's name."""
    if cause.id != "FWD-10" or not isinstance(wanted, str) or not wanted.replace("_", "").isalnum():
        return None
    return (
        "apply no activation there" if wanted in {"none", "linear"} else f"apply {wanted} there, as the other side does"
    )


def _valued(cause: Cause, wanted: Any, framework: str) -> str | None:
    """A line of ``_VALUED``; a program of TensorFlow has Keras's where it has none of its own."""
    lines = _VALUED.get((cause.id, cause.parameter), {})
    told = lines.get(framework) or (lines.get("keras") if framework == "tensorflow" else None)
    number = isinstance(wanted, (int, float)) and not isinstance(wanted, bool)
    return told.format(float(f"{wanted:.6g}") if isinstance(wanted, float) else wanted) if told and number else None
