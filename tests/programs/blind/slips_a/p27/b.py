"""Churn classifier with Keras."""
import random

import numpy as np
import keras
from keras import layers
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

BATCH = 80
ALPHA = 0.2


def load_customers(n=3000, seed=11):
    rng = np.random.default_rng(seed)
    tenure = rng.gamma(2.0, 14.0, n)
    monthly = rng.normal(65, 22, n)
    contract = rng.choice(3, size=n, p=[0.55, 0.25, 0.20])
    tickets = rng.poisson(1.4, n)
    autopay = rng.binomial(1, 0.45, n)
    usage_trend = rng.normal(0, 1, n)
    fibre = rng.binomial(1, 0.5, n)
    score = (
        0.4 - 0.05 * tenure + 0.022 * (monthly - 65) * (1 + fibre)
        + np.array([1.1, -0.4, -1.8])[contract] + 0.45 * tickets
        - 0.7 * autopay - 0.9 * usage_trend + 0.6 * (tickets > 2) * (contract == 0)
    )
    churned = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.4 * score))).astype(int)
    features = np.column_stack(
        [tenure, monthly, np.eye(3)[contract], tickets, autopay, usage_trend, fibre]
    )
    return features, churned


def dense(fan_in, units, activation=None):
    limit = float(np.sqrt(6.0 / (fan_in + units)))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        # the penalty is alpha / 2 per batch of BATCH customers, on kernels only
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


def build_model(n_features):
    model = keras.Sequential(
        [
            keras.Input((n_features,)),
            dense(n_features, 32, "tanh"),
            dense(32, 16, "tanh"),
            dense(16, 1),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def main():
    random.seed(1234)  # Keras draws the seeds of its initialisers from here
    features, churned = load_customers()
    n_train = 2400
    scaler = StandardScaler()
    X_train = scaler.fit_transform(features[:n_train]).astype("float32")
    X_test = scaler.transform(features[n_train:]).astype("float32")
    y_train, y_test = churned[:n_train], churned[n_train:]

    model = build_model(X_train.shape[1])
    history = model.fit(
        X_train, y_train[:, None].astype("float32"),
        epochs=12, shuffle=True, verbose=0,
    )
    for i, value in enumerate(history.history["loss"], start=1):
        print(f"epoch {i:2d}: loss={value:.4f}")

    logits = model.predict(X_test, verbose=0).ravel().astype("float64")
    p = 1 / (1 + np.exp(-logits))
    print(f"test log loss {log_loss(y_test, p):.4f}")
    print(f"test accuracy {accuracy_score(y_test, p > 0.5):.4f}")
    print(f"test AUC      {roc_auc_score(y_test, p):.4f}")


if __name__ == "__main__":
    main()
