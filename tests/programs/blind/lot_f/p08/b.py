"""Signal classification with a 1-D convnet (Keras)."""
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(29)

LENGTH, CLASSES = 32, 5
rng = np.random.default_rng(73)


def signals(n):
    label = rng.integers(0, CLASSES, n)
    t = np.arange(LENGTH) / LENGTH
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * (label[:, None] + 1.5) * t + phase)
    noisy = wave + 0.6 * rng.normal(size=(n, LENGTH))
    return noisy.astype(np.float32), label.astype(np.int64)


x_train, y_train = signals(1000)
x_test, y_test = signals(400)

net = keras.Sequential([
    keras.Input((LENGTH,)),
    layers.Reshape((LENGTH, 1)),
    layers.Conv1D(12, 5, activation="relu"),
    layers.Conv1D(16, 5, activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(CLASSES),
])
net.compile(
    optimizer=keras.optimizers.Adam(learning_rate=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
net.fit(x_train, y_train, batch_size=50, epochs=20, shuffle=True, verbose=0)

logits = net.predict(x_test, batch_size=400, verbose=0)
nll = float(ops.mean(keras.losses.sparse_categorical_crossentropy(y_test, logits, from_logits=True)))
confidence = float(ops.mean(ops.max(ops.softmax(logits), axis=1)))
print(f"test nll {nll:.4f} confidence {confidence:.4f} accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
