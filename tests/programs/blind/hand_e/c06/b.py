"""Imbalanced three-class problem: class_weight and gradient_accumulation_steps of Keras."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(2024)
MICRO, ACCUM, EPOCHS = 32, 3, 16
WEIGHTS = [0.5, 1.5, 3.0]


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.65, 0.25, 0.10])
    angle = 2.2 * y + rng.normal(scale=0.45, size=n)
    radius = 1.0 + 0.6 * y + rng.normal(scale=0.25, size=n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    x = np.concatenate([x, rng.normal(size=(n, 4))], 1)
    return x.astype(np.float32), y.astype(np.int64)


x_train, y_train = make_data(960, 1)
x_test, y_test = make_data(500, 2)

model = keras.Sequential([
    layers.Input((6,)),
    layers.Dense(32, activation="relu", kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.Dense(32, activation="relu", kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1,
                                       epsilon=1e-12, gradient_accumulation_steps=ACCUM),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=MICRO, epochs=EPOCHS, shuffle=True,
          class_weight=dict(enumerate(WEIGHTS)), verbose=2)
ce, acc = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
print(f"test cross-entropy {ce:.4f}  accuracy {acc:.4f}")
