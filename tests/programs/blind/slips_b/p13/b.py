"""Digits with a convnet and BatchNormalization (Keras; conventions chosen to match the PyTorch version)."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits


def make_data():
    digits = load_digits()
    order = np.random.default_rng(99).permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype(np.float32)
    y = digits.target[order].astype(np.int64)
    return x[:1300], y[:1300], x[1300:], y[1300:]


L2 = 0.5e-3  # gradient 2 * L2 * w = 1e-3 * w


def make_model():
    reg = keras.regularizers.L2(L2)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_initializer="he_uniform", kernel_regularizer=reg),
        layers.BatchNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", use_bias=False, kernel_initializer="he_uniform", kernel_regularizer=reg),
        layers.BatchNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(40, activation="relu", kernel_initializer="he_uniform", kernel_regularizer=reg),
        layers.Dense(10, kernel_initializer="glorot_uniform", kernel_regularizer=reg),
    ])


def make_optimizer():
    return keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True)


class Report(keras.callbacks.Callback):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        logits = self.model(self.x, training=False).numpy()
        logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        print(f"epoch {epoch + 1}  test loss {-logp[np.arange(len(self.y)), self.y].mean():.4f}  "
              f"test accuracy {np.mean(logits.argmax(1) == self.y):.4f}")


def main():
    keras.utils.set_random_seed(12)
    x_train, y_train, x_test, y_test = make_data()
    x_train, x_test = x_train[..., None], x_test[..., None]  # NHWC
    model = make_model()
    model.compile(optimizer=make_optimizer(),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x_train, y_train, batch_size=50, epochs=8, shuffle=True, verbose=0,
              callbacks=[Report(x_test, y_test)])


if __name__ == "__main__":
    main()
