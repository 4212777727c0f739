"""Three-output regression, gradients accumulated over four small batches by the optimizer (Keras)."""
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(11)


def toy(n, seed):
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, 8))
    t = np.stack([
        np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2],
        np.abs(x[:, 3]) - 0.8 * x[:, 4],
        np.tanh(x[:, 5] + x[:, 6]) + 0.3 * x[:, 7] ** 2,
    ], axis=1)
    t += 0.05 * r.normal(size=t.shape)
    return x.astype("float32"), t.astype("float32")


x_train, t_train = toy(960, 100)
x_test, t_test = toy(320, 101)

inputs = keras.Input((8,))
h = layers.Dense(48)(inputs)
h = layers.LayerNormalization(epsilon=1e-5)(h)
h = layers.Activation("gelu")(h)
h = layers.Dense(24)(h)
h = layers.LayerNormalization(epsilon=1e-5)(h)
h = layers.Activation("gelu")(h)
model = keras.Model(inputs, layers.Dense(3)(h))

model.compile(
    optimizer=keras.optimizers.Adagrad(
        learning_rate=0.08,
        initial_accumulator_value=0.1,
        epsilon=1e-12,
        gradient_accumulation_steps=4,
    ),
    loss="mse",
)

class Batches(keras.utils.PyDataset):
    """Batches of 16 in an order that is drawn again after each epoch."""

    def __init__(self, x, t):
        super().__init__()
        self.x, self.t = x, t
        self.rng = np.random.default_rng(11)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 16        # 960 = 60 * 16, nothing is left over

    def __getitem__(self, k):
        i = self.perm[16 * k:16 * (k + 1)]
        return self.x[i], self.t[i]

    def on_epoch_end(self):
        self.perm = self.rng.permutation(len(self.x))


if __name__ == "__main__":
    # 60 batches an epoch, 15 updates an epoch
    model.fit(Batches(x_train, t_train), epochs=9, shuffle=False, verbose=2)
    print(f"test mse {model.evaluate(x_test, t_test, batch_size=320, verbose=0):.5f}")
