import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(90)

rng = np.random.default_rng(31)
centers = rng.normal(0, 1.0, (6, 20))
labels = rng.integers(0, 6, 1600)
points = centers[labels] + rng.normal(0, 1.6, (1600, 20))
noisy = labels.copy()
flip = rng.random(1600) < 0.15
noisy[flip] = rng.integers(0, 6, flip.sum())
x = points.astype("float32")
x_train, y_train = x[:800], noisy[:800]
x_test, y_test = x[800:], labels[800:]

model = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(64, activation="tanh"),
    layers.Dense(64, activation="tanh"),
    layers.Dense(6),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, weight_decay=0.01),
    loss=loss_fn,
)
history = model.fit(x_train, y_train, batch_size=32, epochs=16, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1:2d} loss {loss:.4f}")

logits = model.predict(x_test, verbose=0)
print(f"test loss {float(loss_fn(y_test, logits)):.4f}")
print(f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
