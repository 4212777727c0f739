import keras
import numpy as np
from keras import layers


def traces(n, seed):
    """Short voltage traces (in volts), three shapes."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 32)[None, :]
    kind = rng.integers(0, 3, size=n)
    shift = rng.uniform(0, 1, size=(n, 1))
    freq = np.array([2.0, 2.5, 3.0])[kind][:, None]
    wave = np.sin(2 * np.pi * (freq * t + shift)) + 0.5 * rng.standard_normal((n, 32))
    size = 0.01 * np.exp(0.8 * rng.standard_normal((n, 1)))
    return (size * wave).astype("float32"), kind.astype("int64")


x_train, y_train = traces(1000, 91)
x_test, y_test = traces(500, 92)

keras.utils.set_random_seed(38)
model = keras.Sequential([
    keras.Input((32,)),
    layers.LayerNormalization(),
    layers.Dense(64, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(3),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(x_train, y_train, batch_size=40, epochs=18, shuffle=True, verbose=0)
for epoch, value in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1:2d} loss {value:.4f}")
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
