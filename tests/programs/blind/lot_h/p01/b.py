import keras
import numpy as np
from sklearn.datasets import load_digits

BATCH = 64
EPOCHS = 12
LR = 0.003
EPS = 0.01


def make_data():
    d = load_digits()
    x = (d.data / 16.0).astype("float32")
    y = d.target.astype("int64")
    order = np.random.RandomState(2).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1280], y[:1280], x[1280:], y[1280:]


def build_model():
    return keras.Sequential([
        keras.Input((64,)),
        keras.layers.Dense(48, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        keras.layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, batch, seed):
        super().__init__()
        self.x, self.y, self.batch = x, y, batch
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // self.batch)

    def __getitem__(self, i):
        idx = self.order[i * self.batch:(i + 1) * self.batch]
        return self.x[idx], self.y[idx]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=EPS),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )


def main():
    keras.utils.set_random_seed(31)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    hist = model.fit(Batches(xtr, ytr, BATCH, seed=31), epochs=EPOCHS, shuffle=False, verbose=0)
    for epoch, loss in enumerate(hist.history["loss"]):
        print(f"epoch {epoch + 1} loss {loss:.4f}")
    loss = model.evaluate(xte, yte, verbose=0)
    acc = np.mean(model.predict(xte, verbose=0).argmax(1) == yte)
    print(f"test loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
