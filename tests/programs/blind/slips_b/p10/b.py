"""Anomaly detection: autoencoder in Keras, score = reconstruction error."""
import numpy as np
import keras
from keras import layers, regularizers
from sklearn.metrics import roc_auc_score

BATCH = 50
ALPHA = 0.02


def sensors():
    """Normal plant readings lie near a curved 4-d surface in 20 dimensions; faults do not."""
    rng = np.random.RandomState(2718)
    mix, bend = rng.randn(4, 20), rng.randn(4, 20)

    def normal(n):
        z = rng.randn(n, 4)
        return z @ mix + 0.5 * np.tanh(2 * z) @ bend + 0.2 * rng.randn(n, 20)

    train, good = normal(2000), normal(400)
    bad = normal(100)
    for row in bad:
        row[rng.choice(20, 4, replace=False)] += 2.5 * rng.randn(4)
    mean, std = train.mean(0), train.std(0)
    test = np.concatenate([good, bad])
    label = np.r_[np.zeros(400), np.ones(100)]
    return ((train - mean) / std).astype(np.float32), ((test - mean) / std).astype(np.float32), label


def dense(n_in, n_out, activation):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


def build():
    return keras.Sequential([
        keras.Input((20,)),
        dense(20, 16, "tanh"),
        dense(16, 5, "tanh"),
        dense(5, 16, "tanh"),
        dense(16, 20, None),
    ])


def half_squared_error(y_true, y_pred):
    """Half the mean squared error."""
    return 0.5 * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


# --- training
keras.utils.set_random_seed(8)
train, test, label = sensors()
ae = build()
ae.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=False),
    loss=half_squared_error,
)
ae.fit(train, train, batch_size=BATCH, epochs=12, shuffle=True, verbose=0)
error = ((ae.predict(test, verbose=0) - test) ** 2).mean(axis=1)
print(f"epochs 12  mse on normal rows {error[label == 0].mean():.4f}  auc {roc_auc_score(label, error):.4f}")
