"""Programs with nothing wrong that look as if there were."""

from __future__ import annotations

from typing import Final

from tests.zoo.program import Program

HEALTHY: Final = (
    Program("torch_healthy_warmup", "tune"),
    Program("torch_healthy_restarts", "tune"),
    Program("torch_healthy_frozen_backbone", "tune"),
    Program("torch_healthy_gan", "report"),
    Program("keras_healthy_dropout_imbalance", "tune"),
    Program("keras_healthy_noise_floor", "report"),
    Program("tf_healthy_overfit_one_batch", "tune"),
    Program("sk_healthy_tiny_iris", "tune"),
)
