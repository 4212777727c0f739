import numpy as np
import keras
from keras import layers


def load():
    rng = np.random.default_rng(33)
    parts, labels = [], []
    for k in range(4):
        centre = rng.normal(size=(2, 7)) * 1.3
        pick = rng.integers(0, 2, size=260)
        parts.append(centre[pick] + rng.normal(size=(260, 7)))
        labels.append(np.full(260, k))
    x = np.stack(parts).astype("float32")
    y = np.stack(labels).astype("int64")
    train = x[:, :210].reshape(-1, 7), y[:, :210].reshape(-1)
    test = x[:, 210:].reshape(-1, 7), y[:, 210:].reshape(-1)
    return train + test


xtr, ytr, xte, yte = load()
keras.utils.set_random_seed(6)
net = keras.Sequential([
    keras.Input((7,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(4),
])
net.compile(
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        value = self.model.loss(ytr, self.model(xtr, training=False))
        print(f"epoch {epoch + 1}: train loss {float(value):.4f}")


net.fit(xtr, ytr, batch_size=32, epochs=12, verbose=0, callbacks=[Report()])
loss, acc = net.evaluate(xte, yte, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
