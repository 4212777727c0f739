"""Customer churn classifier, Keras."""
import math

import keras
import numpy as np
from keras import layers

N_TRAIN, N_TEST = 2000, 500
BATCH = 50
EPOCHS = 12
ALPHA = 0.1                       # weight penalty alpha / (2 * batch) * sum(w ** 2)


def make_data():
    rng = np.random.default_rng(2024)
    n = N_TRAIN + N_TEST
    tenure = rng.integers(1, 72, n).astype(float)
    charges = rng.normal(65, 25, n)
    calls = rng.poisson(1.5, n).astype(float)
    contract = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    payment = rng.integers(0, 4, n)
    score = -0.05 * (tenure - 30) + 0.02 * (charges - 65) + 0.6 * (calls - 1.5) \
        + np.array([0.9, -0.6, -1.8])[contract] + np.array([0.5, 0.0, -0.3, 0.0])[payment] \
        + 0.03 * (charges - 65) * (contract == 0)
    y = (score + rng.logistic(0, 0.6, n) > 0).astype(np.int64)
    num = np.column_stack([tenure, charges, calls])
    num = (num - num[:N_TRAIN].mean(0)) / num[:N_TRAIN].std(0)
    X = np.hstack([num, np.eye(3)[contract], np.eye(4)[payment]]).astype("float32")
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


def dense(fan_in, units, activation=None):
    bound = math.sqrt(6.0 / (fan_in + units))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


def build_model(n_features):
    model = keras.Sequential([
        keras.Input((n_features,)),
        dense(n_features, 32, "tanh"),
        dense(32, 16, "tanh"),
        dense(16, 1),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
    )
    return model


def main():
    keras.utils.set_random_seed(8)
    X_tr, y_tr, X_te, y_te = make_data()
    model = build_model(X_tr.shape[1])
    model.fit(X_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    proba = 1 / (1 + np.exp(-model.predict(X_te, verbose=0)[:, 0]))
    nll = -np.mean(np.where(y_te == 1, np.log(proba), np.log1p(-proba)))
    print(f"test log loss {nll:.4f}  accuracy {np.mean((proba > 0.5) == y_te):.4f}")


if __name__ == "__main__":
    main()
