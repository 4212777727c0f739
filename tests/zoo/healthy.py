"""Programs with nothing wrong that look as if there were; what is odd about each stands at its top."""

from __future__ import annotations

from typing import Final

from tests.zoo.program import Program

_TUNE: Final = (
    "keras_healthy_series_in_order",
    "tf_healthy_image_to_image",
    "keras_healthy_two_models",
    "keras_healthy_class_weights",
    "keras_healthy_convnet_augmented",
    "keras_healthy_dropout_imbalance",
    "keras_healthy_early_floor",
    "keras_healthy_label_smoothing",
    "keras_healthy_poisson",
    "keras_healthy_transfer",
    "sk_healthy_imbalanced",
    "sk_healthy_noise_regression",
    "sk_healthy_partial_fit_stream",
    "sk_healthy_tiny_iris",
    "tf_healthy_gan_loop",
    "tf_healthy_overfit_one_batch",
    "tf_healthy_regularised_loop",
    "tf_healthy_ternary_dropout_net",
    "torch_healthy_accumulation",
    "torch_healthy_autoencoder",
    "torch_healthy_batchnorm_batch_of_four",
    "torch_healthy_cyclic_lr",
    "torch_healthy_ddp",
    "torch_healthy_embedding_padding",
    "torch_healthy_finetune_tiny_lr",
    "torch_healthy_focal_rare_positives",
    "torch_healthy_fp16_scaler",
    "torch_healthy_frozen_backbone",
    "torch_healthy_growing_lengths",
    "torch_healthy_heavy_augmentation",
    "torch_healthy_lbfgs_full_batch",
    "torch_healthy_linear_probe_shared_head",
    "torch_healthy_masked_attention",
    "torch_healthy_mixup",
    "torch_healthy_multitask",
    "torch_healthy_restarts",
    "torch_healthy_siamese_distances",
    "torch_healthy_warmup",
    "torch_healthy_weight_norm",
    "torch_healthy_wide_relu",
)
_REPORT: Final = (
    "tf_healthy_q_learning",
    "keras_healthy_slow_noisy_labels",
    "keras_healthy_lstm_text",
    "keras_healthy_multilabel",
    "keras_healthy_noise_floor",
    "keras_healthy_reduce_on_plateau",
    "keras_healthy_xor",
    "sk_healthy_adaptive_sgd",
    "tf_healthy_warm_restarts",
    "torch_healthy_bf16_autocast",
    "torch_healthy_contrastive",
    "torch_healthy_curriculum",
    "torch_healthy_deep_residual",
    "torch_healthy_ema_teacher",
    "torch_healthy_gan",
    "torch_healthy_lstm_forecast",
    "torch_healthy_quantile",
    "torch_healthy_reinforce",
    "torch_healthy_sparse_embedding",
    "torch_healthy_vae",
)

HEALTHY: Final = (
    *(Program(name, "tune") for name in _TUNE),
    *(Program(name, "report") for name in _REPORT),
)
