# Churn model, Keras
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, regularizers
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

BATCH = 60
ALPHA = 0.05


def make_customers(n=3000, seed=11):
    rng = np.random.default_rng(seed)
    tenure = rng.exponential(24.0, n).clip(0, 72)
    monthly = rng.normal(65.0, 20.0, n).clip(15, 130)
    calls = rng.poisson(1.5, n)
    age = rng.uniform(18, 80, n)
    contract = rng.choice(3, n, p=[0.55, 0.25, 0.20])
    payment = rng.choice(4, n)
    paperless = rng.integers(0, 2, n)

    score = (
        -0.4
        - 0.045 * (tenure - 20)
        + 0.03 * (monthly - 65)
        + 0.55 * (calls - 1.5)
        - 1.3 * (contract == 1)
        - 2.2 * (contract == 2)
        + 0.8 * (payment == 0)
        + 0.9 * np.sin(age / 8.0) * (paperless == 1)
    )
    churn = (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-score))).astype(np.int64)

    numeric = np.stack([tenure, monthly, calls, age], axis=1)
    numeric = (numeric - numeric[:2400].mean(axis=0)) / numeric[:2400].std(axis=0)
    X = np.concatenate(
        [numeric, np.eye(3)[contract], np.eye(4)[payment], paperless[:, None]], axis=1
    ).astype(np.float32)
    return X[:2400], churn[:2400], X[2400:], churn[2400:]


def dense(n_in, units, activation=None):
    # biases start in the same range as the weights
    limit = float(np.sqrt(6.0 / (n_in + units)))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=initializers.RandomUniform(-limit, limit),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


keras.utils.set_random_seed(5)
X_train, y_train, X_test, y_test = make_customers()
n_features = X_train.shape[1]
train_ds = (
    tf.data.Dataset.from_tensor_slices((X_train, y_train[:, None]))
    .shuffle(len(X_train), reshuffle_each_iteration=True)
    .batch(BATCH)
)

model = keras.Sequential(
    [
        keras.Input((n_features,)),
        dense(n_features, 48, "relu"),
        dense(48, 24, "relu"),
        dense(24, 1),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
model.fit(train_ds, epochs=12, verbose=0)

for split, X, y in (("train", X_train, y_train), ("test", X_test, y_test)):
    logit = model.predict(X, batch_size=600, verbose=0)[:, 0].astype("float64")
    prob = 1.0 / (1.0 + np.exp(-logit))
    print(
        f"{split:5s} log loss {log_loss(y, prob):.4f}"
        f"  accuracy {accuracy_score(y, prob > 0.5):.4f}"
        f"  auc {roc_auc_score(y, prob):.4f}"
    )
