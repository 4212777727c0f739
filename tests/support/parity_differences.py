"""Single differences between two otherwise aligned programs, with where each must be found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from auditor_agent.parity import Outcome, check
from support.parity_models import keras_program, torch_program


@dataclass(frozen=True)
class Difference:
    """``both``, ``torch``, ``keras``: options; ``stage``, ``entry``, ``step``: what must be told."""

    entry: str
    stage: str
    torch: dict[str, Any] = field(default_factory=dict)
    keras: dict[str, Any] = field(default_factory=dict)
    both: dict[str, Any] = field(default_factory=dict)
    family: str = "mlp"
    step: int = 1

    def run(self, steps: int = 8) -> Outcome:
        """The lockstep of the two programs."""
        left = torch_program(self.family, **{**self.both, **self.torch})
        return check(left, keras_program(self.family, **{**self.both, **self.keras}), steps)


SGD: dict[str, Any] = {"rule": "sgd", "lr": 0.05, "momentum": 0.9}
RMS: dict[str, Any] = {"rule": "rmsprop", "eps": 1e-30}
D = Difference
DIFFERENCES: dict[str, Difference] = {
    "Adam epsilon": D("OPT-02", "optimizer", {"eps": 1e-8}, {"eps": 1e-7}),
    "Adam epsilon's placement": D("OPT-03", "optimizer", both={"eps": 1e-7}),
    "Adam beta 2": D("OPT-02", "optimizer", keras={"beta_2": 0.99}),
    "learning rate": D("OPT-01", "optimizer", keras={"lr": 1.01e-3}),
    "amsgrad": D("OPT-22", "optimizer", keras={"amsgrad": True}),
    "decay coupled": D("OPT-05", "regularization", {"coupled": True}, both={"decay": 0.01}),
    "decay's value": D("OPT-04", "optimizer", {"decay": 0.01}, {"decay": 0.004}),
    "decay missing": D("OPT-04", "optimizer", {"decay": 0.01}),
    "momentum": D("OPT-02", "optimizer", keras={"momentum": 0.8}, both=SGD, step=2),
    "momentum missing": D("OPT-02", "optimizer", keras={"momentum": 0.0}, both=SGD),
    "nesterov": D("OPT-11", "optimizer", keras={"nesterov": True}, both=SGD),
    "dampening": D("OPT-12", "optimizer", {"dampening": 0.5}, both=SGD, step=2),
    "momentum's buffer": D("OPT-10", "optimizer", both={**SGD, "schedule": True}, step=6),
    "SGD decay coupled": D("OPT-06", "regularization", {"coupled": True}, both={**SGD, "decay": 1e-3}),
    "another rule": D("OPT-00", "optimizer", keras={"rule": "sgd"}),
    "RMSprop rho": D("OPT-13", "optimizer", {"rho": 0.99}, both=RMS),
    "RMSprop centered": D("OPT-02", "optimizer", keras={"centered": True, "eps": 1e-7}, both=RMS),
    "RMSprop epsilon's placement": D("OPT-13", "optimizer", both={**RMS, "eps": 1e-7}),
    "Adagrad accumulator": D("OPT-15", "optimizer", {"accumulator": 0.0}, both={"rule": "adagrad", "lr": 1e-2}),
    "schedule missing": D("SCH-01", "optimizer", {"schedule": True}, step=6),
    "accumulation": D("OPT-21", "optimizer", {"accumulate": 4}),
    "accumulation, sum for mean": D("OPT-21", "optimizer", {"average": False}, both={"accumulate": 4}, step=4),
    "clipped globally or each": D("OPT-19", "optimizer", {"clip": "global"}, {"clip": "each"}),
    "clipping missing": D("OPT-19", "optimizer", {"clip": "global"}),
    "sparse gradients": D("OPT-29", "optimizer", keras={"sparse": True}, family="transformer"),
    "second bias of an LSTM": D("INIT-08", "optimizer", {"second_bias": True}, family="lstm"),
    "BatchNorm momentum": D("FWD-02", "eval", keras={"norm_memory": 0.01}, both={"norm": "batch"}),
    "BatchNorm variance": D("FWD-03", "eval", both={"norm": "batch"}),
    "BatchNorm epsilon": D("FWD-01", "forward", keras={"norm_eps": 1e-3}, both={"norm": "batch"}),
    "training mode": D("MODE-01", "forward", keras={"training": False}, family="cnn"),
    "LayerNorm epsilon": D("FWD-06", "forward", keras={"norm_eps": 1e-3}, both={"norm": "layer"}),
    "GELU": D("FWD-08", "forward", {"activation": "gelu"}, {"activation": "gelu_tanh"}),
    "LeakyReLU slope": D("FWD-09", "forward", {"slope": 0.01}, {"slope": 0.3}, {"activation": "leaky"}),
    "activation": D("FWD-10", "forward", {"activation": "relu"}, {"activation": "elu"}),
    "softmax axis": D("FWD-22", "forward", keras={"softmax_axis": 0}, both={"activation": "softmax"}),
    "dropout": D("FWD-07", "forward", {"dropout": 0.5}, {"dropout": 0.2}),
    "padding at stride 2": D("FWD-11", "forward", both={"stride": 2}, family="cnn"),
    "stride": D("FWD-00", "forward", keras={"stride": 2}, family="cnn"),
    "pooling": D("FWD-00", "forward", keras={"pool": "avg"}, family="cnn"),
    "bias missing": D("FWD-00", "forward", keras={"bias": False}),
    "activation of an LSTM": D("FWD-14", "forward", keras={"activation": "relu"}, family="lstm"),
    "reset of a GRU": D("FWD-15", "forward", keras={"reset_after": False}, family="gru"),
    "heads": D("FWD-20", "forward", keras={"heads": 4}, family="transformer"),
    "loss summed": D("LOSS-03", "loss", keras={"loss": "sum"}),
    "loss halved": D("LOSS-01", "loss", keras={"loss": "half"}),
    "loss broadcast": D("LOSS-02", "loss", {"loss": "broadcast"}),
    "another loss": D("LOSS-11", "loss", {"loss": "huber"}),
    "label smoothing": D("LOSS-07", "loss", {"smoothing": 0.1}, family="transformer"),
    "L2 missing": D("LOSS-16", "regularization", keras={"l2": 1e-3}),
    "L2 factor": D("OPT-07", "regularization", {"l2": 5e-4}, {"l2": 1e-3}),
    "bfloat16 in Keras": D("PREC-01", "precision", keras={"bf16": True}),
    "bfloat16 in PyTorch": D("PREC-01", "precision", {"bf16": True}),
    "batches in another order": D("DATA-01", "data", keras={"swap": True}, step=2),
    "inputs shifted": D("DATA-00", "data", keras={"noise": 1e-3}),
}
