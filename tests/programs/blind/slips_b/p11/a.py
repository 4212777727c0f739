"""Binary classification of short sensor sequences with a Keras LSTM."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import keras
from keras import layers

T, F, UNITS = 14, 3, 20
EPOCHS, BATCH = 10, 40


def make_data(n, rng):
    x = rng.normal(size=(n, T, F)).astype("float32")
    decay = (0.85 ** np.arange(T)[::-1]).astype("float32")
    s = (x[:, :, 0] * decay).sum(1) + 0.8 * (x[:, :, 1] * decay).sum(1) * np.sign(x[:, -1, 2])
    y = (s + 0.2 * rng.normal(size=n) > 0).astype("float32")[:, None]
    return x, y


rng = np.random.default_rng(11)
x_train, y_train = make_data(1210, rng)
x_test, y_test = make_data(600, rng)

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((T, F)),
    layers.LSTM(UNITS, activation="tanh", recurrent_activation="sigmoid",
                kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=False),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# training
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  train loss {value:.4f}")

test_loss = model.evaluate(x_test, y_test, batch_size=600, verbose=0)
pred = model.predict(x_test, batch_size=600, verbose=0)
acc = float(((pred > 0) == (y_test > 0.5)).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
