"""What a difference changes after the steps that were recorded, as the run's own curves say."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from dataclasses import replace

import keras
import numpy as np

from auditor.compare.causes import Diagnosis, diagnose
from auditor.compare.profile import Profile
from auditor.compare.trajectories import Curve
from support.tiny import Stepper, Tiny, keras_stepper, sgd

STEPS, RATE = 120, 0.01
BUFFERS = {"torch": "rate outside", "keras": "rate inside"}


def longer(stepper: Stepper, framework: str, rates: np.ndarray) -> Profile:
    """A run whose first steps are recorded, at one rate, and whose rates are known throughout."""
    declared = {"rule": "sgd", "momentum": 0.95, "momentum_buffer": BUFFERS[framework], "nesterov": False}
    told = {"canonical": {"update": [declared]}}
    found = Tiny(stepper=lambda: stepper, framework=framework, rate=RATE).profile(framework, manifest=told)
    curve = Curve(np.arange(1, STEPS + 1), rates)
    return replace(found, last_step=STEPS, curves={**found.curves, "lr": curve})


def both(rates: np.ndarray) -> Diagnosis:
    """Momentum with the rate outside of its buffer, as PyTorch has it, and inside, as Keras has."""
    inside = keras_stepper(lambda: keras.optimizers.SGD(RATE, momentum=0.95))
    return diagnose(longer(sgd(RATE, momentum=0.95), "torch", rates), longer(inside, "keras", rates))


def test_momentum_that_outlives_a_drop_of_the_rate_is_found_though_it_falls_later() -> None:
    """OPT-10: the old rate stays in Keras's buffer for some twenty steps; at one rate the two are one rule."""
    drops = np.where(np.arange(STEPS) < STEPS // 3, RATE, RATE / 10)
    found = both(drops)
    assert found.causes[0].id == "OPT-10"
    assert not both(np.full(STEPS, RATE)).causes
