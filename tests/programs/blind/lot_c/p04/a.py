import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(404)
x = rng.normal(size=(1600, 8)).astype("float32")
true_logit = 0.28 + 0.35 * np.tanh(x[:, 0] + x[:, 1]) + 0.2 * np.sin(2 * x[:, 2]) + 0.2 * x[:, 3]
y = (rng.uniform(size=1600) < 1 / (1 + np.exp(-true_logit))).astype("float32")
x_train, y_train, x_val, y_val = x[:1000], y[:1000], x[1000:], y[1000:]

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(16, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
for epoch in range(10):
    model.fit(x_train, y_train, batch_size=50, epochs=1, shuffle=True, verbose=0)
    loss, acc = model.evaluate(x_val, y_val, verbose=0)
    print(f"epoch {epoch + 1}: val loss {loss:.4f}, val accuracy {acc:.4f}")
