"""Programs with one fault each; ``--healthy`` repairs it."""

from __future__ import annotations

from typing import Final

from tests.zoo.program import Program

_BLOWN: Final = ("exploding_gradient", "update_ratio", "loss_diverging", "weight_explosion")
_NONFINITE: Final = ("nonfinite_loss", "nonfinite_gradient", "nonfinite_weight")

PAIRS: Final = (
    Program("torch_digits_lr_huge", "tune", "learning_rate", _BLOWN, "the rate's first signs"),
    Program("torch_regression_broadcast", "tune", "loss_shape_broadcast"),
    Program("torch_softmax_into_crossentropy", "tune", "softmax_twice"),
    Program("torch_no_zero_grad", "tune", "gradient_accumulated"),
    Program("torch_wrong_parameters", "tune", "unchanged_parameters"),
    Program("torch_eval_mode_training", "tune", "wrong_mode"),
    Program(
        "torch_detached_encoder", "report", "zero_gradient", ("unchanged_parameters",), "what has none stays as it is"
    ),
    Program("torch_lr_zero_schedule", "tune", "learning_rate", ("optimizer_step_missing",), "a step of size zero"),
    Program(
        "torch_log_of_zero", "tune", "nonfinite_loss", _NONFINITE, "log of zero shows in the loss, the gradient or both"
    ),
    Program("torch_deep_sigmoid", "tune", "vanishing_gradient"),
    Program("torch_constant_init", "report", "symmetric_units", ("poor_init",), "constant weights are both"),
    Program("keras_sigmoid_ten_classes", "report", "output_activation_mismatch"),
    Program("keras_softmax_one_unit", "tune", "output_activation_mismatch", ("constant_output",), "it says 1 for all"),
    Program("keras_relu_before_bce", "tune", "output_activation_mismatch"),
    Program(
        "keras_unscaled_targets", "tune", "output_activation_mismatch", ("label_range",), "targets out of its reach"
    ),
    Program("keras_raw_wine_sgd", "report", "input_scale"),
    Program("tf_custom_loop_frozen_half", "report", "unchanged_parameters"),
    Program("tf_probabilities_as_logits", "tune", "softmax_twice"),
    Program("sk_overregularised", "tune", "underfitting_regularization"),
    Program("sk_labels_shuffled", "tune", "label_mismatch", ("metric_chance",), "validation stays at chance"),
    Program("sk_sgd_exploding", "report", "exploding_gradient", (*_NONFINITE, *_BLOWN, "learning_rate"), "one blow-up"),
)
