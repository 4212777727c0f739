"""Multi-step forecaster with a GRU, Keras compile/fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

HISTORY, HORIZON, CHANNELS = 16, 4, 3


def make_series():
    """Three coupled channels; predict the next HORIZON values of the first."""
    rng = np.random.default_rng(99)
    n = 1300
    s = np.zeros((n, CHANNELS))
    s[0] = rng.normal(size=CHANNELS)
    mix = np.array([[0.75, 0.5, 0.0], [-0.5, 0.75, 0.25], [0.1, -0.2, 0.85]])
    for i in range(1, n):
        s[i] = np.tanh(mix @ s[i - 1]) + 0.25 * rng.normal(size=CHANNELS)
    s = (s / s[:1000].std(0)).astype("float32")
    count = n - HISTORY - HORIZON + 1
    x = np.stack([s[i : i + HISTORY] for i in range(count)])
    y = np.stack([s[i + HISTORY : i + HISTORY + HORIZON, 0] for i in range(count)])
    return x[:1000], y[:1000], x[1000:], y[1000:]


def build_model():
    model = keras.Sequential(
        [
            keras.Input((HISTORY, CHANNELS)),
            keras.layers.GRU(32),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(HORIZON),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=2e-3, global_clipnorm=0.5),
        loss="mae",
    )
    return model


def main():
    keras.utils.set_random_seed(3)
    x_train, y_train, x_test, y_test = make_series()
    model = build_model()
    model.fit(x_train, y_train, batch_size=50, epochs=14, shuffle=False, verbose=2)
    print(f"test mae {model.evaluate(x_test, y_test, verbose=0):.4f}")


if __name__ == "__main__":
    main()
