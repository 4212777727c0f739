"""Digits with averaging blocks (Keras)."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

bunch = load_digits()
x = (bunch.images / 8.0 - 1.0).astype(np.float32)[..., np.newaxis]
y = bunch.target
idx = np.random.default_rng(31).permutation(len(x))
x, y = x[idx], y[idx]
x_train, x_val, y_train, y_val = x[:1200], x[1200:], y[:1200], y[1200:]


def build_model():
    inputs = keras.Input(shape=(8, 8, 1))
    h = layers.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    h = layers.AveragePooling2D(pool_size=3, strides=1, padding="same")(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(24, 3, padding="same", activation="relu")(h)
    h = layers.AveragePooling2D(pool_size=3, strides=1, padding="same")(h)
    h = layers.Flatten()(h)
    outputs = layers.Dense(10)(h)
    return keras.Model(inputs, outputs)


model = build_model()
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=50, epochs=12, shuffle=True, verbose=2)
val_loss, val_acc = model.evaluate(x_val, y_val, batch_size=100, verbose=0)
print(f"val loss {val_loss:.4f}  val acc {val_acc:.4f}")
