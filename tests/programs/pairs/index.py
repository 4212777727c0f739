# ruff: noqa: E501 -- a pair is a row of a table
"""Pairs of these programs: what differs, and the entry of the catalogue that says so.

A side is a program with its settings. ``ids``: the entry that names the cause, and others that name the
same root. ``held`` pairs are for saying how well it went; nobody looks at them while choosing weights.
Seeds differ between the sides throughout, as do the frameworks' own defaults (epsilon).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs; no ``ids`` for a control, in which nothing that matters differs."""

    name: str
    a: str
    b: str
    ids: tuple[str, ...] = ()
    stage: str = ""
    held: bool = False


def _rows(*rows: tuple[str, str, str, str, str]) -> tuple[Pair, ...]:
    """Every third pair is held out."""
    return tuple(
        Pair(name, a, b, tuple(ids.split()), stage, held=place % 3 == 2)
        for place, (name, a, b, ids, stage) in enumerate(rows)
    )


_T, _K, _S = "torch_table", "keras_table", "sklearn_table"
_TAPE = "keras_table loop=tape"
_TI, _KI = "torch_images", "keras_images"
_TS, _KS = "torch_sentences", "keras_sentences"
_TA = "torch_attention"
_TB, _KB, _SB = "torch_blobs", "keras_blobs", "sklearn_blobs"

PAIRS: Final = _rows(
    # Initial weights.
    ("torch's own initialisers", f"{_T} init=torch bias=torch", _K, "INIT-01 INIT-02", "init"),
    ("he against glorot", f"{_T} init=he", _K, "INIT-01", "init"),
    ("a narrow normal", _T, f"{_K} init=normal", "INIT-01 INIT-14", "init"),
    ("biases of one", _K, f"{_K} bias=ones", "INIT-02", "init"),
    ("torch's own layers, images", f"{_TI} init=torch", f"{_KI} logits=True softmax=False", "INIT-03 INIT-01", "init"),
    ("torch's own LSTM", f"{_TS} init=torch", _KS, "INIT-06 INIT-07 INIT-08", "init"),
    ("no forget bias", _TS, f"{_KS} forget=False", "INIT-08", "init"),
    ("recurrent kernel not orthogonal", _KS, f"{_KS} recurrent_init=glorot_uniform", "INIT-07", "init"),
    ("embedding of a unit normal", _KS, f"{_KS} embed_init=random_normal", "INIT-06", "init"),
    ("torch's small biases", f"{_T} bias=torch", _K, "INIT-02", "init"),
    # Data.
    ("not shuffled, sorted", f"{_K} sort=True", f"{_TAPE} shuffle=False sort=True", "DATA-01", "data"),
    ("not shuffled, sorted, torch", f"{_T} sort=True shuffle=False", f"{_K} sort=True", "DATA-01", "data"),
    ("not shuffled, sorted, images", f"{_TI} sort=True", f"{_TI} sort=True shuffle=False", "DATA-01", "data"),
    ("tail dropped", _T, f"{_T} drop_last=True", "DATA-02", "data"),
    ("tail dropped in the loop", f"{_K} batch=100", f"{_TAPE} batch=100 drop_last=True", "DATA-02", "data"),
    ("twice the batch", _T, f"{_K} batch=64", "DATA-02", "data"),
    ("scikit-learn's batch", f"{_S} batch=200", _K, "DATA-02", "data"),
    ("not scaled", _T, f"{_K} scale=raw", "DATA-00", "data"),
    ("minmax against standard", f"{_T} scale=minmax", _K, "DATA-00", "data"),
    ("bytes against unit", _TI, f"{_KI} scale=byte", "DATA-00", "data"),
    ("standard against unit", f"{_KI} scale=standard", _KI, "DATA-00", "data"),
    ("early stopping holds out", f"{_S} early=True", _K, "SCH-04", "data"),
    ("validation split", _K, f"{_K} split=0.2", "DATA-03 DATA-02", "data"),
    # Precision.
    ("float64 against float32", f"{_T} dtype=float64", f"{_T} dtype=float32", "DATA-04 PREC-01", "precision"),
    ("bfloat16 policy", _K, f"{_K} dtype=bfloat16", "PREC-01", "precision"),
    ("autocast", f"{_T} dtype=bfloat16", _K, "PREC-01", "precision"),
    # The loss.
    ("broadcast", f"{_T} squeeze=False", _K, "LOSS-02", "loss"),
    ("broadcast in the tape", f"{_TAPE} loss=hand column=False", _K, "LOSS-02", "loss"),
    ("half squared error", _S, _K, "LOSS-01", "loss"),
    ("half squared error, sgd", f"{_S} opt=sgd lr=0.02", f"{_K} opt=sgd lr=0.02 momentum=0.9 nesterov=True", "LOSS-01", "loss"),
    ("sum for mean", f"{_T} loss=sum opt=sgd lr=0.0005", f"{_K} opt=sgd lr=0.0005", "LOSS-03", "loss"),
    ("per-row loss", _K, f"{_TAPE} loss=rows", "LOSS-03", "backward"),
    ("huber", f"{_T} loss=huber", _K, "LOSS-11 LOSS-00", "loss"),
    ("absolute error", _T, f"{_K} loss=mae", "LOSS-00", "loss"),
    ("softmax twice", f"{_TB} softmax=True", _KB, "LOSS-05", "loss"),
    ("softmax twice, images", f"{_TI} softmax=True", _KI, "LOSS-05", "loss"),
    ("from_logits forgotten", _TB, f"{_KB} softmax=False", "LOSS-04", "loss"),
    ("from_logits forgotten, binary", _TS, f"{_KS} sigmoid=False", "LOSS-04", "loss"),
    ("label smoothing", f"{_TI} smoothing=0.1", _KI, "LOSS-07", "loss"),
    ("label smoothing in Keras", _TI, f"{_KI} smoothing=0.2", "LOSS-07", "loss"),
    ("class weights", f"{_TB} weights=True balance=False", f"{_KB} weights=True balance=False", "LOSS-08", "loss"),
    ("class weight on one side", f"{_KS} weight=3.0", _TS, "LOSS-08", "loss"),
    # Penalties.
    ("model.losses left out", f"{_K} l2=0.01", f"{_TAPE} l2=0.01 penalty=False", "LOSS-16", "regularization"),
    ("model.losses left out, images", f"{_KI} loop=fit l2=0.01", f"{_KI} loop=tape l2=0.01 penalty=False", "LOSS-16", "regularization"),
    ("l2 in the loss, decay in Adam", f"{_T} decay=0.01", f"{_K} l2=0.01", "OPT-07 OPT-09", "regularization"),
    ("decay twice as strong", f"{_T} l2=0.02", f"{_K} l2=0.01", "OPT-07", "regularization"),
    ("alpha over the batch", f"{_S} alpha=1.0 batch=100", f"{_K} l2=0.5 batch=100 loss=half", "OPT-08", "regularization"),
    ("coupled, decoupled", f"{_T} decay=0.05", f"{_K} decay=0.05", "OPT-05", "optimizer"),
    ("AdamW defaults", f"{_T} opt=adamw decay=0.1", f"{_K} opt=adamw decay=0.004", "OPT-04", "optimizer"),
    ("SGD's decay", f"{_TB} decay=0.01", f"{_KB} decay=0.01", "OPT-06", "optimizer"),
    # The update rule.
    ("learning rate", _T, f"{_K} lr=0.001", "OPT-01", "optimizer"),
    ("learning rate, a tenth more", f"{_T} lr=0.0033", f"{_T} lr=0.003", "OPT-01", "optimizer"),
    ("beta 1", f"{_T} beta1=0.5", _K, "OPT-02", "optimizer"),
    ("beta 2", f"{_TA} beta2=0.98", _TA, "OPT-02", "optimizer"),
    ("epsilon that matters", f"{_T} eps=0.01", _K, "OPT-02 OPT-03", "optimizer"),
    ("momentum", f"{_TB} momentum=0.0", _KB, "OPT-02", "optimizer"),
    ("nesterov", f"{_SB} nesterov=True", _KB, "OPT-11", "optimizer"),
    ("rmsprop's defaults", f"{_T} opt=rmsprop", f"{_K} opt=rmsprop", "OPT-13 OPT-02", "optimizer"),
    ("adagrad's accumulator", f"{_T} opt=adagrad lr=0.05", f"{_K} opt=adagrad lr=0.05", "OPT-15", "optimizer"),
    ("adam against sgd", f"{_K} opt=sgd", _T, "OPT-00", "optimizer"),
    ("amsgrad", f"{_T} amsgrad=True", _K, "OPT-22", "optimizer"),
    ("clip norm on one side", f"{_T} clip=norm", _K, "OPT-19", "optimizer"),
    ("clipnorm is per variable", f"{_T} clip=norm opt=sgd lr=0.05", f"{_K} clip=each opt=sgd lr=0.05", "OPT-19", "optimizer"),
    ("clip by value", f"{_T} clip=value opt=sgd lr=0.05", f"{_T} opt=sgd lr=0.05", "OPT-20", "optimizer"),
    ("accumulation", f"{_T} every=4", _T, "OPT-21", "optimizer"),
    ("accumulation in Keras", _K, f"{_K} every=4", "OPT-21", "optimizer"),
    ("zero_grad forgotten", f"{_T} zero_grad=False", _K, "OPT-26", "optimizer"),
    ("another rate for the head", f"{_TB} lr_head=0.005", _KB, "OPT-01", "optimizer"),
    # Schedules.
    ("step schedule", f"{_T} schedule=step", _K, "SCH-01", "optimizer"),
    ("cosine by epoch or by batch", f"{_T} schedule=cosine", f"{_K} schedule=cosine", "SCH-05 SCH-01", "optimizer"),
    ("warm-up", f"{_TA} warmup=20", _TA, "SCH-01", "optimizer"),
    ("inverse scaling", f"{_SB} schedule=invscaling", _KB, "OPT-23 SCH-01", "optimizer"),
    # Layers.
    ("batch normalisation's epsilon", f"{_TI} bn_eps=0.1", _KI, "FWD-01", "forward"),
    ("batch normalisation's epsilon, defaults", _TI, f"{_KI} bn_eps=1e-3", "FWD-01", "forward"),
    ("batch normalisation's momentum", _TI, f"{_KI} bn_momentum=0.99", "FWD-02", "eval"),
    ("momentum 0.9 in torch", f"{_TI} bn_momentum=0.9", _KI, "FWD-02", "eval"),
    ("layer normalisation's epsilon", f"{_TA} ln_eps=0.1", _TA, "FWD-06", "forward"),
    ("GELU", f"{_TA} gelu=tanh", _TA, "FWD-08", "forward"),
    ("relu against tanh", f"{_T} act=tanh", _K, "FWD-10", "forward"),
    ("relu in the block", f"{_TA} act=relu", _TA, "FWD-10", "forward"),
    ("elu against relu", _TI, f"{_KI} act=elu", "FWD-10", "forward"),
    ("leaky slope", f"{_T} act=leaky", f"{_K} act=leaky", "FWD-09", "forward"),
    ("dropout rate", f"{_TI} dropout=0.6", _KI, "FWD-07", "forward"),
    ("dropout on one side", f"{_KS} dropout=0.5", _TS, "FWD-07", "forward"),
    ("width", f"{_T} width=64", _K, "FWD-00", "forward"),
    ("padding valid", _TI, f"{_KI} pad=valid", "FWD-11 FWD-00", "forward"),
    ("average pooling", f"{_TI} pool=avg", _KI, "FWD-00 FWD-12", "forward"),
    ("no bias at the output", f"{_T} out_bias=False", _K, "FWD-00", "forward"),
    ("no normalisation", f"{_TI} norm=False", _KI, "FWD-00", "forward"),
    ("last state against mean", f"{_KS} last=False", _KS, "FWD-00", "forward"),
    ("hard sigmoid gates", f"{_KS} recurrent_activation=hard_sigmoid", _TS, "FWD-10 FWD-14", "forward"),
    ("pre-norm, post-norm", f"{_TA} pre_norm=False", _TA, "FWD-00", "forward"),
    # Modes.
    ("training flag forgotten", f"{_KI} loop=fit", f"{_KI} loop=tape training=False", "MODE-01", "eval"),
    ("training flag forgotten, dropout", f"{_K} dropout=0.3", f"{_TAPE} dropout=0.3 training=False", "MODE-01", "eval"),
    ("trained in eval mode", f"{_TI} train_mode=False", _KI, "MODE-01", "eval"),
    ("evaluated in train mode", f"{_TI} eval_mode=False", _TI, "MODE-03", "eval"),
    ("evaluated with training=True", f"{_KI} loop=tape eval_training=True", f"{_KI} loop=tape", "MODE-03", "eval"),
)  # fmt: skip

CONTROLS: Final = _rows(
    ("torch, two seeds", _T, _T, "", ""),
    ("Keras, two seeds", _K, _K, "", ""),
    ("torch and Keras, aligned", _T, _K, "", ""),
    ("fit and a tape", _K, _TAPE, "", ""),
    ("torch and a tape", _T, _TAPE, "", ""),
    ("scikit-learn and half the error", _S, f"{_K} loss=half", "", ""),
    ("scikit-learn, two seeds", _S, _S, "", ""),
    ("images, two seeds", _TI, _TI, "", ""),
    ("images, torch and Keras", _TI, _KI, "", ""),
    ("images, fit and a tape", _KI, f"{_KI} loop=tape", "", ""),
    ("images, probabilities or logits", f"{_KI} softmax=False logits=True", _KI, "", ""),
    ("LSTM, torch and Keras", _TS, _KS, "", ""),
    ("LSTM, two seeds", _KS, _KS, "", ""),
    ("attention, two seeds", _TA, _TA, "", ""),
    ("blobs, torch and Keras", _TB, _KB, "", ""),
    ("blobs, scikit-learn and Keras", _SB, _KB, "", ""),
    ("blobs, scikit-learn and torch", _SB, _TB, "", ""),
    ("penalty, fit and tape", f"{_K} l2=0.01", f"{_TAPE} l2=0.01", "", ""),
    ("l2 in the loss, both", f"{_T} l2=0.01", f"{_K} l2=0.01", "", ""),
    ("tanh, torch and Keras", f"{_T} act=tanh", f"{_K} act=tanh", "", ""),
    ("SGD with momentum, torch and Keras", f"{_T} opt=sgd momentum=0.9 lr=0.02", f"{_K} opt=sgd momentum=0.9 lr=0.02", "", ""),
)  # fmt: skip
