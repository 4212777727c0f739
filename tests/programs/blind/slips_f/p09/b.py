"""Smooth function of five inputs: the MLPRegressor rebuilt in Keras, float64, SGD with Nesterov momentum."""
import keras
import numpy as np
from keras import initializers, layers, regularizers

keras.config.set_floatx("float64")

ALPHA, BATCH = 0.2, 50


def make_data():
    rng = np.random.default_rng(314)
    x = rng.standard_normal((1000, 5))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.3 * np.abs(x[:, 3]) + 0.1 * rng.standard_normal(1000)
    y = (y - y[:800].mean()) / y[:800].std()
    return x[:800], y[:800], x[800:], y[800:]


def dense(fan_in, fan_out, activation=None):
    # scikit-learn: kernel and bias U(-b, b), b = sqrt(6 / (fan_in + fan_out))
    b = np.sqrt(6.0 / (fan_in + fan_out))
    return layers.Dense(
        fan_out, activation=activation,
        kernel_initializer=initializers.RandomUniform(-b, b),
        bias_initializer=initializers.RandomUniform(-b, b),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


def make_model():
    model = keras.Sequential([
        keras.Input((5,)),
        dense(5, 64, "relu"),
        dense(64, 32, "relu"),
        dense(32, 1),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss="mean_squared_error",
    )
    return model


def main():
    keras.utils.set_random_seed(2)
    x_train, y_train, x_test, y_test = make_data()
    model = make_model()
    # 800 rows in batches of 50: no partial batch
    history = model.fit(x_train, y_train[:, None], batch_size=BATCH, epochs=25, shuffle=True, verbose=0)
    losses = history.history["loss"]
    for epoch in range(4, len(losses), 5):
        print(f"epoch {epoch + 1:2d}  loss {losses[epoch]:.5f}")
    p = model.predict(x_test, batch_size=200, verbose=0)[:, 0]
    print(f"test mse {np.mean((p - y_test) ** 2):.5f}")


if __name__ == "__main__":
    main()
