"""Anomaly detection with a Keras autoencoder on sensor vectors."""
import keras
import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score

SENSORS, BATCH, EPOCHS, LR, ALPHA = 24, 64, 12, 2e-3, 0.05
LAYERS = (16, 5, 16)


def make_data():
    rng = np.random.RandomState(31)
    mix = rng.randn(4, SENSORS)

    def normal(n):
        z = rng.randn(n, 4)
        z[:, 3] = z[:, 0] * z[:, 1]
        return np.tanh(0.6 * z @ mix) + 0.1 * rng.randn(n, SENSORS)

    train = normal(2560)
    good = normal(800)
    bad = normal(200)
    for row in bad:  # a few sensors drift
        k = rng.choice(SENSORS, 3, replace=False)
        row[k] += rng.choice([-1.0, 1.0], 3) * rng.uniform(0.4, 1.0, 3)
    mean, std = train.mean(0), train.std(0)
    f = lambda a: ((a - mean) / std).astype("float32")
    test = np.concatenate([f(good), f(bad)])
    label = np.r_[np.zeros(len(good)), np.ones(len(bad))]
    return f(train), test, label


def layer(fan_in, units, activation):
    bound = float(np.sqrt(6.0 / (fan_in + units)))
    return keras.layers.Dense(
        units, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        # alpha / (2 * batch size) * sum(w ** 2), kernels only
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)))


def half_sum_of_squares(y_true, y_pred):
    return 0.5 * ops.sum(ops.square(y_true - y_pred), axis=-1)


def build():
    model = keras.Sequential([keras.Input((SENSORS,))])
    width = SENSORS
    for units in LAYERS:
        model.add(layer(width, units, "tanh"))
        width = units
    model.add(layer(width, SENSORS, None))
    model.compile(loss=half_sum_of_squares,
                  optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999,
                                                  epsilon=1e-8))
    return model


def main():
    keras.utils.set_random_seed(3)
    train, test, label = make_data()
    ae = build()
    print("weights", ae.count_params())
    hist = ae.fit(train, train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    err = ((ae.predict(test, verbose=0) - test) ** 2).mean(axis=1)
    fit_err = ((ae.predict(train, verbose=0) - train) ** 2).mean()
    print("epochs", len(hist.epoch))
    print(f"train mse {fit_err:.4f}")
    print(f"test mse normal {err[label == 0].mean():.4f} anomalous {err[label == 1].mean():.4f}")
    print(f"auc {roc_auc_score(label, err):.4f}")


if __name__ == "__main__":
    main()
