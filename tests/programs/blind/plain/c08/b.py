"""Friedman-like regression, MLP with Huber loss and Adagrad (Keras, PyTorch's initialisation kept)."""
import keras
import numpy as np
from keras import initializers, layers


def make_data():
    rng = np.random.default_rng(17)
    x = rng.uniform(0, 1, (1100, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.standard_normal(1100))
    x = (x - 0.5) * np.sqrt(12)
    y = (y - y[:800].mean()) / y[:800].std()
    x, y = x.astype(np.float32), y.astype(np.float32)[:, None]
    return x[:800], y[:800], x[800:], y[800:]


def linear(fan_in, units, activation=None):
    # nn.Linear: kernel and bias both U(-1/sqrt(fan_in), 1/sqrt(fan_in))
    bound = fan_in ** -0.5
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=initializers.RandomUniform(-bound, bound),
        bias_initializer=initializers.RandomUniform(-bound, bound),
    )


def make_model():
    return keras.Sequential([
        keras.Input((8,)),
        linear(8, 48, "elu"),
        linear(48, 32, "elu"),
        linear(32, 16, "elu"),
        linear(16, 1),
    ])


def make_optimizer():
    return keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-10)


huber = keras.losses.Huber(delta=1.0)


def main():
    keras.utils.set_random_seed(40)
    x_train, y_train, x_test, y_test = make_data()
    model = make_model()
    model.compile(optimizer=make_optimizer(), loss=huber)
    history = model.fit(x_train, y_train, batch_size=64, epochs=25, shuffle=True, verbose=0)
    for epoch, loss in enumerate(history.history["loss"]):
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {loss:.4f}")
    p = model.predict(x_test, batch_size=300, verbose=0)
    print(f"test huber {float(huber(y_test, p)):.4f}  test mse {np.mean((p - y_test) ** 2):.4f}")


if __name__ == "__main__":
    main()
