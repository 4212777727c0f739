import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(14)

rng = np.random.RandomState(17)
n, bands = 1000, 40
grid = np.linspace(0, 1, bands)
label = rng.randint(0, 4, n)
centre = np.array([0.2, 0.4, 0.6, 0.8])[label] + 0.05 * rng.randn(n)
width = rng.uniform(0.05, 0.12, n)
height = rng.uniform(0.010, 0.030, n)
spectra = 0.30 + 0.02 * rng.randn(n, 1) + height[:, None] * np.exp(
    -0.5 * ((grid - centre[:, None]) / width[:, None]) ** 2)
spectra = (spectra + 0.006 * rng.randn(n, bands)).astype("float32")
x_train, y_train = spectra[:800], label[:800]
x_test, y_test = spectra[800:], label[800:]

model = keras.Sequential([
    keras.Input((bands,)),
    layers.LayerNormalization(),
    layers.Dense(32, activation="tanh"),
    layers.Dense(4),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(800).batch(40)
history = model.fit(batches, epochs=12, verbose=0)
for i, l in enumerate(history.history["loss"]):
    print(f"epoch {i + 1} loss {l:.4f}")

logits = model.predict(x_test, verbose=0)
print("test accuracy", float((logits.argmax(1) == y_test).mean()))
