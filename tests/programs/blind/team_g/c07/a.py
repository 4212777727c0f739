"""Churn as survival: a Cox network, compile and fit."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers, ops


def make_patients(n, seed):
    """Twelve covariates, time to churn (exponential, nonlinear risk) and whether it was seen."""
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 12))
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * x[:, 2] * x[:, 3] + 0.5 * np.abs(x[:, 4]) + 0.6 * np.sin(2 * x[:, 5])
    time = rng.exponential(1.0, n) * np.exp(-risk)
    censor = rng.exponential(2.5, n)
    event = (time <= censor).astype("float32")
    return x.astype("float32"), np.stack([np.minimum(time, censor), event], 1).astype("float32")


def concordance(target, risk):
    time, event = target[:, 0], target[:, 1]
    comparable = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    return (comparable & (risk[:, None] > risk[None, :])).sum() / comparable.sum()


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(101)


def cox_loss(target, risk):
    """Negative partial log-likelihood (Breslow) per event; the risk sets lie inside the batch."""
    time, event = target[:, 0], target[:, 1]
    risk = ops.squeeze(risk, -1)
    at_risk = ops.cast(time[None, :] >= time[:, None], "float32")
    peak = ops.stop_gradient(ops.max(risk))
    log_sum = peak + ops.log(ops.sum(at_risk * ops.exp(risk - peak)[None, :], axis=1))
    return ops.sum(event * (log_sum - risk)) / ops.maximum(ops.sum(event), 1.0)


model = keras.Sequential([
    keras.Input((12,)),
    layers.Dense(48, use_bias=False, kernel_initializer="he_uniform"),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.Activation("relu"),
    layers.Dropout(0.2),
    layers.Dense(24, activation="elu", kernel_initializer="he_uniform"),
    layers.Dense(1, use_bias=False, kernel_initializer="glorot_uniform"),
])
optimizer = keras.optimizers.AdamW(learning_rate=3e-3, weight_decay=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
model.compile(optimizer=optimizer, loss=cox_loss)

x, target = make_patients(1850, 1)
xt, tt = make_patients(800, 2)
model.fit(x, target, batch_size=100, epochs=16, shuffle=True, verbose=2)
risk = model.predict(xt, verbose=0)
print("test loss %.4f  concordance %.4f" % (float(cox_loss(tt, risk)), concordance(tt, risk[:, 0])))
