import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(44)

T, UNITS, BATCH, EPOCHS = 16, 24, 50, 14


def recall_task(n, seed):
    """The sign pattern shown in the first two steps must be recalled at the end."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, (n, T, 3))
    bits = rng.integers(0, 2, (n, 2))
    x[:, 0, 0] = 2 * bits[:, 0] - 1
    x[:, 1, 0] = 2 * bits[:, 1] - 1
    x[:, :, 2] = 0.0
    x[:, :2, 2] = 1.0
    return x.astype("float32"), (2 * bits[:, 0] + bits[:, 1]).astype("int64")


x_train, y_train = recall_task(1000, 0)
x_test, y_test = recall_task(400, 1)

model = keras.Sequential([
    keras.Input((T, 3)),
    layers.LSTM(
        UNITS,
        activation="tanh",
        recurrent_activation="hard_sigmoid",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        unit_forget_bias=True,
    ),
    layers.Dense(4),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for i, value in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1:2d} loss {value:.4f}")

logits = model.predict(x_test, verbose=0)
print(f"test loss {model.evaluate(x_test, y_test, verbose=0):.4f}")
print(f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
