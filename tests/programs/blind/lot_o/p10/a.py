import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(88)
t = np.arange(32) / 32.0
kind = rng.integers(0, 3, size=700)
freq = np.array([2.0, 3.0, 4.0])[kind] + 0.4 * rng.normal(size=700)
phase = rng.uniform(0, 2 * np.pi, size=700)
signal = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None]) + 0.5 * rng.normal(size=(700, 32))
signal = signal.astype("float32")[..., None]
kind = kind.astype("int64")
x_train, y_train, x_test, y_test = signal[:560], kind[:560], signal[560:], kind[560:]

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((32, 1)),
    layers.Conv1D(16, 5, padding="same", activation="relu"),
    layers.MaxPooling1D(2),
    layers.Conv1D(32, 5, padding="same", activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(3),
])
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=0.02, beta_1=0.95, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=20, epochs=12, shuffle=True, verbose=0)
for i, value in enumerate(history.history["loss"], 1):
    print(f"epoch {i} loss {value:.4f}")
print(f"test loss {model.evaluate(x_test, y_test, batch_size=140, verbose=0):.4f}")
print(f"test accuracy {np.mean(model.predict(x_test, verbose=0).argmax(-1) == y_test):.4f}")
