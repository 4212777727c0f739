"""The line that mends one cause: a setting with the other side's value, or the catalogue's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.compare import catalogue
from auditor.compare.recognise.cause import Cause
from auditor.compare.recognise.regularization import ALL, BY_OPTIMIZER, IN_LOSS, KERNELS
from auditor.compare.recognise.schedule import CONSTANT

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
_BINARY_LOSS: Final = "binary cross entropy"
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
    ("OPT-29", "rule"): "one rule for absent rows: nn.Embedding(sparse=False) with Adam, or SparseAdam on both sides",
    ("LOSS-13", "takes"): "labels of -1 and 1, as the other side has them: 2 * y - 1",
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
    ("FWD-20", "kernels"): "transpose each kernel: in_proj_weight[:E] = query_kernel.reshape(E, E).T, and so on",
    ("FWD-22", "summed"): "take the softmax along the axis over which its product with the values is summed",
    ("FWD-21", "skipped"): "skip padding alike: mask_zero=True in Keras, nn.utils.rnn.pack_padded_sequence in PyTorch",
    ("FWD-00", "shift"): "add the same constant on both sides: a table of positions, an offset",
    ("FWD-00", "sums"): "add what a block was given to what it gives, on both sides or on neither",
    ("BWD-00", "stopped"): "let gradients through alike: detach() and stop_gradient on both sides or on neither",
    ("BWD-00", "untracked"): "register the layers: nn.ModuleList, nn.ModuleDict; in Keras attributes of the model",
    ("FWD-00", "weights"): "give both sides the same layers, and share weights on both or on neither",
    ("FWD-07", "inverted"): "divide what is kept by 1 - rate in training, as nn.Dropout and tf.nn.dropout do",
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
    made = made or _by_hints(cause, at, framework) or _activation(cause, wanted) or _LINES.get((cause.id, last))
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
    "loss.function": lambda value: value in {"cosine of the other sign", "cosine added to one"},
    "data.shuffle": lambda value: str(value).startswith("sorted"),
    "data.order": lambda value: value in {"the same in every epoch", "as stored"},
    "data.input.batches": lambda value: value == "one batch",
    "recurrent.skipped": lambda value: value == "reads padding",
    "softmax.over": lambda value: value == "the samples",
    "data.evaluation.rows": lambda value: value == "rows of training",
    "data.target.given": lambda value: str(value).startswith("input "),
}
#: Parameters of entries of which one side lacks a part.
_LACKS: Final = frozenset({("LOSS-16", "penalty.gradient_factor"), ("LOSS-16", "penalty.l1")})


def at_fault(cause: Cause) -> int:
    """The side whose program a fix is for: the one that does what nobody means, else as the cause says."""
    wrong = _along_batch if cause.parameter.endswith(".along_time") else _FAULTS.get(cause.parameter)
    if (cause.id, cause.parameter) in _LACKS:
        wrong = _nothing
    sides = [] if wrong is None else [wrong(value) for value in cause.values]
    return sides.index(True) if sides.count(True) == 1 else "ab".index(cause.mend)


def _along_batch(value: Any) -> bool:
    """Whether a layer was seen to take the samples of a batch for the steps of a sequence."""
    return value is False


def _nothing(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == 0


#: Losses of logits with one output, where the catalogue's lines are for classes.
_BINARY: Final[Mapping[str, str]] = {
    "torch": "nn.BCEWithLogitsLoss()(logits, y)",
    "keras": "keras.losses.BinaryCrossentropy(from_logits=True)",
    "tensorflow": "tf.keras.losses.BinaryCrossentropy(from_logits=True), or tf.nn.sigmoid_cross_entropy_with_logits",
}
#: A schedule that moves once an epoch, at every step, after so many steps, or never, by framework.
_BEATS: Final[Mapping[tuple[str, str], str]] = {
    ("torch", "epoch"): "scheduler.step() once after every epoch, outside the loop over batches",
    ("torch", "step"): "scheduler.step() after every batch, inside the loop over batches",
    ("torch", "steps"): "scheduler.step() once after every {0} steps",
    ("torch", CONSTANT): "no scheduler.step(): the other side's rate never changes",
    ("keras", "epoch"): "keras.callbacks.LearningRateScheduler(schedule), asked once an epoch; or a schedule with"
    " decay_steps=steps_per_epoch, staircase=True",
    ("keras", "step"): "learning_rate=a keras.optimizers.schedules.LearningRateSchedule, asked at every step",
    ("keras", "steps"): "keras.optimizers.schedules.ExponentialDecay(lr, decay_rate=rate, staircase=True,"
    " decay_steps={0}), or one of your own that changes every {0} steps",
    ("keras", CONSTANT): "learning_rate=a number, and no callback that sets it: the other side's rate never changes",
    ("tensorflow", "epoch"): "optimizer.learning_rate.assign(rate) once after every epoch; or a schedule with"
    " decay_steps=steps_per_epoch, staircase=True",
}  # fmt: skip
#: Which tensors are decayed, by framework, by what decays them, and by which the other side's are.
_DECAYED: Final[Mapping[tuple[str, str, str], str]] = {
    ("torch", BY_OPTIMIZER, KERNELS): "param groups: [{'params': [p for p in model.parameters() if p.ndim > 1]},"
    " {'params': [p for p in model.parameters() if p.ndim < 2], 'weight_decay': 0}]",
    ("torch", BY_OPTIMIZER, ALL): "one parameter group of all parameters, with one weight_decay",
    ("torch", IN_LOSS, ALL): "add the squares of biases and of normalisation's scales to the penalty as well",
    ("torch", IN_LOSS, KERNELS): "penalty = sum((p ** 2).sum() for p in model.parameters() if p.ndim > 1)",
    ("keras", BY_OPTIMIZER, ALL): "leave optimizer.exclude_from_weight_decay out: the other side decays every tensor",
    ("keras", IN_LOSS, ALL): "bias_regularizer, and beta_regularizer and gamma_regularizer of BatchNormalization, as"
    " kernel_regularizer is",
    ("keras", IN_LOSS, KERNELS): "kernel_regularizer alone: no bias_regularizer, beta_regularizer, gamma_regularizer",
}
#: Layers of PyTorch that take time first unless they are told, by kind.
_TIME_FIRST: Final[Mapping[str, str]] = {
    "gru": "nn.GRU(i, h, batch_first=True)", "rnn": "nn.RNN(i, h, batch_first=True)",
    "attention": "nn.MultiheadAttention(width, heads, batch_first=True)",
}  # fmt: skip
#: How gradients are clipped, by framework; in Keras by a setting of the optimizer.
_CLIPPED: Final[Mapping[tuple[str, str], str]] = {
    ("torch", "clip_norm"): "torch.nn.utils.clip_grad_norm_(model.parameters(), {})",
    ("torch", "clip_norm_per_variable"): "for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], {})",
    ("torch", "clip_value"): "torch.nn.utils.clip_grad_value_(model.parameters(), {})",
    ("tensorflow", "clip_norm"): "grads, _ = tf.clip_by_global_norm(grads, {})",
    ("tensorflow", "clip_norm_per_variable"): "grads = [tf.clip_by_norm(g, {}) for g in grads]",
    ("tensorflow", "clip_value"): "grads = [tf.clip_by_value(g, -{0}, {0}) for g in grads]",
}


def _by_hints(cause: Cause, at: int, framework: str) -> str | None:
    """A line that takes more than an entry and a framework to choose; None where the catalogue's will do."""
    own, other, wanted = cause.hints[at], cause.hints[1 - at], cause.values[1 - at]
    made = None
    if cause.id == "LOSS-04" and _BINARY_LOSS in {own, other}:
        made = _BINARY.get(framework)
    elif cause.id == "OPT-09":
        made = _DECAYED.get((_library(framework), own, str(wanted)))
    elif cause.id == "SCH-01":
        made = _scheduled(own, other, wanted, framework)
    elif cause.id == "FWD-16" and framework == "torch":
        made = _TIME_FIRST.get(cause.parameter.partition(".")[0])
    elif cause.id == "FWD-22":
        made = _along(cause.parameter, wanted, framework)
    elif cause.parameter == "update.clipping":
        made = _clipped(own, str(wanted), framework)
    elif cause.parameter == "batchnorm.decay" and isinstance(wanted, (int, float)):
        made = _counterpart(wanted, framework)
    return made


def _library(framework: str) -> str:
    """Whose layers, optimizers and schedules a program has."""
    return "keras" if framework == "tensorflow" else framework


def _counterpart(decay: float, framework: str) -> str | None:
    """A momentum of running statistics: in PyTorch what the new batch counts for, in Keras what is left of the old."""
    lines = {
        "torch": ("nn.BatchNorm1d(n, momentum={})", 1 - decay),
        "keras": ("BatchNormalization(momentum={})", decay),
    }
    told, value = lines.get(_library(framework), (None, 0.0))
    return told.format(float(f"{value:.6g}")) if told else None


def _scheduled(own: str, other: str, wanted: Any, framework: str) -> str | None:
    """The other side's beat in this side's words; where both have one beat, what its rate does."""
    if not other or framework == "sklearn":
        return None
    if own == other and wanted:
        return f"give the schedule the other side's settings: there the rate {wanted}"
    told = _BEATS.get((framework, other)) or _BEATS.get((_library(framework), other))
    return told or _BEATS[(_library(framework), "steps")].format(other.partition(" ")[0])


def _along(parameter: str, wanted: Any, framework: str) -> str | None:
    """The other side's axis, where it is known by its number or by how many values add up to one along it."""
    if not isinstance(wanted, int):
        return None
    if parameter == "softmax.axis":
        return f"nn.Softmax(dim={wanted})" if framework == "torch" else f"Softmax(axis={wanted})"
    word = "dim" if framework == "torch" else "axis"
    return f"{word}= the axis of {wanted} values, along which the other side's softmax adds up to one"


def _clipped(optimizer: str, wanted: str, framework: str) -> str | None:
    """The other side's one limit, with its value; None where that is no matter of one limit."""
    kind, _, limit = wanted.partition(" ")
    if wanted == "none" and framework != "sklearn":
        return "clip no gradients: the other side does not"
    if kind not in WORDS["keras"] or "," in limit:
        return None
    made = CLASSES[optimizer][1] if optimizer in CLASSES else optimizer
    if made[:1].isupper():  # the rules that no table has are told by their small names
        return f"keras.optimizers.{made}({WORDS['keras'][kind]}={float(limit)!r})"
    told = _CLIPPED.get((framework, kind))
    return told.format(repr(float(limit))) if told else None


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
