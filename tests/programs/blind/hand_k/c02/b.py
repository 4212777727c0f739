"""Binary sequence classification with keras.layers.LSTM."""
import numpy as np
import keras
from keras import layers


def make_data():
    rng = np.random.default_rng(21)
    x = rng.normal(size=(1500, 20, 3)).astype(np.float32)
    gate = (x[:, :, 1] > 0).astype(np.float32)
    score = (x[:, :, 0] * gate).sum(axis=1) + 0.3 * x[:, -1, 2]
    y = (score > 0).astype(np.float32)
    return x[:1200], y[:1200], x[1200:], y[1200:]


keras.utils.set_random_seed(8)
x_train, y_train, x_test, y_test = make_data()

model = keras.Sequential([
    keras.Input((20, 3)),
    layers.LSTM(24, activation="tanh", recurrent_activation="sigmoid",
                kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0,
                                       epsilon=1e-7, centered=False),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
history = model.fit(x_train, y_train, batch_size=40, epochs=12, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1:2d}  loss {value:.4f}")
test_loss, test_acc = model.evaluate(x_test, y_test, batch_size=300, verbose=0)
print(f"test loss {test_loss:.4f}  test accuracy {test_acc:.4f}")
