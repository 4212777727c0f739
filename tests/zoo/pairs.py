"""Programs with one fault each; ``--healthy`` repairs it."""

from __future__ import annotations

from typing import Final

from tests.zoo.program import Program

#: What a step that is far too long looks like before it is known to be the step.
_BLOWN: Final = ("exploding_gradient", "update_ratio", "loss_diverging", "weight_explosion")
_NONFINITE: Final = ("nonfinite_loss", "nonfinite_gradient", "nonfinite_weight")
_STILL: Final = ("learning_rate", "update_ratio", "loss_not_decreasing")

PAIRS: Final = (
    # Numbers that are not numbers.
    Program("torch_log_of_zero", "tune", "nonfinite_loss", _NONFINITE, "a log of zero shows in loss and gradient"),
    Program("tf_log_probability", "report", "nonfinite_loss", _NONFINITE, "a log of zero shows in loss and gradient"),
    Program("keras_sqrt_loss", "tune", "nonfinite_gradient", _NONFINITE, "the weights follow within the step"),
    Program("torch_missing_values", "tune", "nonfinite_input", _NONFINITE, "where inputs are not seen, what follows"),
    Program(
        "keras_missing_targets", "report", "nonfinite_input", _NONFINITE, "where targets are not seen, what follows"
    ),
    Program("torch_scaler_skips_forever", "tune", "scaler_stuck", ("nonfinite_loss", "input_scale"), "its cause"),
    # The size of things.
    Program("torch_rnn_no_clipping", "tune", "exploding_gradient", (*_BLOWN, *_NONFINITE, "poor_init"), "one story"),
    Program("tf_rnn_exploding", "report", "exploding_gradient", (*_BLOWN, *_NONFINITE, "poor_init"), "one story"),
    Program(
        "keras_lstm_exploding", "tune", "input_scale", (*_BLOWN, *_NONFINITE, "saturated_units"), "its first signs"
    ),
    Program(
        "sk_sgd_exploding",
        "report",
        "exploding_gradient",
        (*_NONFINITE, *_BLOWN, "learning_rate"),
        "one blow-up",
        fails=True,
    ),
    Program("torch_deep_sigmoid", "tune", "vanishing_gradient"),
    Program("keras_deep_sigmoid", "report", "vanishing_gradient"),
    Program("sk_deep_logistic", "tune", "vanishing_gradient"),
    Program(
        "torch_penalty_wrong_sign", "report", "weight_explosion", ("loss_diverging", *_BLOWN), "the loss goes with it"
    ),
    Program("torch_bfloat16_weights", "tune", "update_swallowed", ("update_ratio",), "that ratio measured"),
    Program(
        "torch_clip_too_small", "tune", "clip_saturated", _STILL, "what a tenth of a per cent of a step looks like"
    ),
    # Parameters and steps.
    Program("torch_wrong_parameters", "tune", "unchanged_parameters"),
    Program("tf_custom_loop_frozen_half", "report", "unchanged_parameters"),
    Program("keras_head_not_trained", "tune", "unchanged_parameters", ("optimizer_step_missing",), "all weights stay"),
    Program(
        "torch_optimizer_of_a_copy", "report", "unchanged_parameters", ("optimizer_step_missing",), "all weights stay"
    ),
    Program("torch_step_forgotten", "tune", "optimizer_step_missing", ("unchanged_parameters",), "all weights stay"),
    Program("torch_detached_encoder", "report", "zero_gradient", ("unchanged_parameters",), "what has none stays"),
    Program(
        "torch_loss_from_numpy", "tune", "zero_gradient", ("unchanged_parameters", "optimizer_step_missing"), "same"
    ),
    Program("torch_layers_in_a_list", "tune", "unchanged_parameters"),
    Program("torch_step_outside_the_loop", "tune", "optimizer_step_missing"),
    Program("torch_gan_generator_detached", "tune", "zero_gradient", ("unchanged_parameters",), "what has none stays"),
    Program("torch_biases_shut_relu_off", "tune", "poor_init", ("dead_units",), "what the biases do"),
    Program("torch_probabilities_clamped", "tune", "output_activation_mismatch"),
    Program("torch_log_softmax_over_samples", "tune", "output_activation_mismatch"),
    Program("torch_labels_many_hot", "tune", "label_range"),
    Program("torch_no_zero_grad", "tune", "gradient_accumulated"),
    Program("tf_gradients_pile_up", "report", "gradient_accumulated"),
    # The learning rate.
    Program("torch_digits_lr_huge", "tune", "learning_rate", _BLOWN, "the rate's first signs"),
    Program("keras_adam_lr_one", "tune", "learning_rate", (*_BLOWN, "dead_units"), "the rate's first signs"),
    Program("tf_adam_lr_half", "report", "learning_rate", (*_BLOWN, "dead_units"), "the rate's first signs"),
    Program("sk_adam_lr_one", "report", "learning_rate", (*_BLOWN, "dead_units"), "the rate's first signs"),
    Program("torch_momentum_diverges", "report", "learning_rate", (*_BLOWN, *_NONFINITE), "the rate's first signs"),
    Program(
        "tf_sign_error",
        "tune",
        "loss_diverging",
        (*_BLOWN, *_NONFINITE, "learning_rate"),
        "climbing is a negative rate",
    ),
    Program("torch_lr_tiny", "tune", "learning_rate", _STILL, "nothing moves"),
    Program("keras_sgd_lr_too_small", "report", "learning_rate", _STILL, "nothing moves"),
    Program("sk_sgd_lr_tiny", "tune", "learning_rate", _STILL, "nothing moves"),
    Program("torch_lr_zero_schedule", "tune", "learning_rate", ("optimizer_step_missing",), "a step of size zero"),
    Program(
        "keras_schedule_returns_zero", "report", "learning_rate", ("unchanged_parameters", *_STILL), "nothing moves"
    ),
    Program("torch_step_per_batch_decay", "report", "learning_rate", _STILL, "nothing moves"),
    # The loss and the metrics.
    Program("torch_corrupt_batch", "tune", "loss_spike", (*_BLOWN, "input_scale"), "a batch of another scale"),
    Program("keras_overfit_wide", "tune", "overfitting"),
    Program("keras_overfit_regression", "report", "overfitting"),
    Program("keras_l2_ten", "tune", "underfitting_regularization"),
    Program("sk_overregularised", "tune", "underfitting_regularization"),
    Program("sk_overregularised_regression", "report", "underfitting_regularization"),
    Program(
        "torch_batchnorm_momentum_zero", "tune", "train_eval_gap_at_start", ("wrong_mode",), "statistics never updated"
    ),
    Program(
        "keras_batchnorm_momentum_one", "report", "train_eval_gap_at_start", ("wrong_mode",), "statistics never updated"
    ),
    Program("torch_spectral_norm_first_eval", "tune", "train_eval_gap_at_start", ("wrong_mode",), "before it is ready"),
    Program("keras_spectral_first_eval", "report", "train_eval_gap_at_start", ("wrong_mode",), "before it is ready"),
    # What flows through.
    Program(
        "torch_dead_relu_bias", "tune", "dead_units", ("zero_gradient", "poor_init"), "the bias is the initialiser's"
    ),
    Program("keras_dead_relu_large_step", "report", "dead_units", ("zero_gradient", "poor_init"), "as above"),
    Program(
        "torch_tanh_saturated_init", "tune", "poor_init", ("saturated_units",), "what weights of N(0, 1) do to tanh"
    ),
    Program("torch_constant_init", "tune", "symmetric_units", ("poor_init",), "constant weights are both"),
    Program("keras_zero_kernels", "tune", "symmetric_units", ("poor_init", "zero_gradient"), "zeros are all three"),
    Program("tf_ones_init", "report", "symmetric_units", ("poor_init",), "constant weights are both"),
    Program(
        "torch_softmax_hidden",
        "tune",
        "vanishing_gradient",
        ("saturated_units", "output_activation_mismatch", "loss_not_decreasing"),
        "no id of its own: a softmax in the middle lets next to nothing through",
    ),
    Program(
        "keras_softmax_hidden",
        "report",
        "vanishing_gradient",
        ("saturated_units", "output_activation_mismatch", "loss_not_decreasing"),
        "no id of its own: a softmax in the middle lets next to nothing through",
    ),
    Program("torch_softmax_wrong_axis", "report", "output_activation_mismatch", ("constant_output",), "over the batch"),
    Program("torch_embedding_all_unknown", "report", "embedding_unused"),
    # What the program says.
    Program("torch_regression_broadcast", "tune", "loss_shape_broadcast"),
    Program("tf_difference_broadcasts", "report", "loss_shape_broadcast"),
    Program("torch_softmax_into_crossentropy", "tune", "softmax_twice"),
    Program("tf_probabilities_as_logits", "tune", "softmax_twice"),
    Program("keras_softmax_twice", "report", "softmax_twice"),
    Program(
        "torch_nll_raw_scores", "tune", "logits_as_probabilities", ("output_activation_mismatch",), "no log-softmax"
    ),
    Program(
        "keras_linear_output_bce", "report", "logits_as_probabilities", ("output_activation_mismatch",), "no sigmoid"
    ),
    Program("keras_sigmoid_ten_classes", "report", "output_activation_mismatch"),
    Program("keras_softmax_one_unit", "tune", "output_activation_mismatch", ("constant_output",), "it says 1 for all"),
    Program("keras_relu_before_bce", "tune", "output_activation_mismatch", ("constant_output",), "a dead output"),
    Program("torch_relu_on_regression_output", "tune", "output_activation_mismatch", ("label_range",), "out of reach"),
    Program("keras_tanh_output_counts", "report", "output_activation_mismatch", ("label_range",), "out of reach"),
    Program("keras_unscaled_targets", "tune", "output_activation_mismatch", ("label_range",), "out of reach"),
    Program("torch_bce_plus_minus_one", "tune", "label_range"),
    Program("keras_labels_one_two", "report", "label_range"),
    Program(
        "torch_target_in_dollars", "tune", "label_range", (*_STILL, "exploding_gradient"), "no id for targets' scale"
    ),
    Program("sk_regression_unscaled_target", "tune", "label_range", (*_STILL, "exploding_gradient"), "likewise"),
    Program("torch_labels_drawn_apart", "tune", "label_mismatch", ("metric_chance", "loss_not_decreasing"), "at ln C"),
    Program(
        "keras_features_shuffled_alone", "tune", "label_mismatch", ("metric_chance", "overfitting"), "learns by heart"
    ),
    Program("tf_zip_shuffled_apart", "report", "label_mismatch", ("metric_chance", "loss_not_decreasing"), "at ln C"),
    Program("sk_labels_shuffled", "tune", "label_mismatch", ("metric_chance",), "validation stays at chance"),
    Program("sk_targets_sorted", "report", "label_mismatch", ("overfitting",), "learns by heart"),
    Program("torch_raw_features", "tune", "input_scale", ("saturated_units",), "its proof"),
    Program("keras_raw_wine_sgd", "report", "input_scale", ("dead_units",), "its proof"),
    Program("keras_pixels_not_divided", "tune", "input_scale", ("saturated_units",), "its proof"),
    Program("sk_unscaled_tanh", "report", "input_scale", ("saturated_units",), "its proof"),
    Program("torch_first_batch_only", "tune", "repeated_batches"),
    Program("keras_generator_same_batch", "tune", "repeated_batches"),
    Program("sk_partial_fit_same_chunk", "report", "repeated_batches"),
    Program("torch_workers_same_seed", "tune", "repeated_batches"),
    Program("torch_augmentation_copies", "report", "repeated_batches"),
    Program(
        "torch_sorted_not_shuffled", "tune", "data_order_fixed", ("loss_oscillating", "loss_spike"), "class by class"
    ),
    Program("torch_eval_mode_training", "tune", "wrong_mode"),
    Program("tf_training_false", "tune", "wrong_mode", ("train_eval_gap_at_start",), "statistics never updated"),
    Program("torch_dropout_while_evaluating", "report", "wrong_mode"),
    Program("tf_evaluates_with_dropout", "tune", "wrong_mode"),
    Program("tf_penalty_left_out", "tune", "missing_regularization"),
    # Many ranks.
    Program("torch_replicas_own_seeds", "tune", "replica_divergence"),
    Program("torch_ddp_bypassed", "report", "replica_divergence"),
    Program("torch_rank_bad_shard", "tune", "rank_outlier"),
    # Written blind, as a stranger would, before the rules knew them.
    Program("tf_first_batch_forever", "tune", "repeated_batches"),
    Program("keras_decay_of_one_step", "tune", "learning_rate", ("metric_chance", *_STILL), "nothing moves any more"),
    Program("keras_forecast_lr_tiny", "report", "learning_rate", _STILL, "nothing moves"),
    Program("tf_encoder_left_out", "tune", "unchanged_parameters"),
    Program("keras_train_step_head_only", "tune", "unchanged_parameters"),
    Program("tf_variables_of_the_original", "report", "unchanged_parameters"),
    Program(
        "keras_relu_before_cross_entropy", "report", "output_activation_mismatch", ("constant_output",), "it says 0"
    ),
)
