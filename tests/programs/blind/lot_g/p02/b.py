# Which of four compounds is in the sample? Absorbance spectra, Keras.
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)

rng = np.random.default_rng(77)
N, D, K = 1500, 48, 4
wave = np.linspace(0.0, 1.0, D)
centres = rng.uniform(0.1, 0.9, size=(K, 3))
widths = rng.uniform(0.03, 0.08, size=(K, 3))
heights = rng.uniform(0.5, 1.0, size=(K, 3))
bands = (heights[:, :, None] * np.exp(-0.5 * ((wave - centres[:, :, None]) / widths[:, :, None]) ** 2)).sum(axis=1)
labels = rng.integers(0, K, size=N)
mix = rng.dirichlet(np.ones(K), size=N) * 0.9
mix[np.arange(N), labels] += 0.6
spectra = 0.03 * mix @ bands + 0.002 * rng.standard_normal((N, D)) + 0.005 * rng.standard_normal((N, 1))
spectra = spectra.astype(np.float32)
labels = labels.astype(np.int64)
train_x, test_x = spectra[:1100], spectra[1100:]
train_y, test_y = labels[:1100], labels[1100:]

net = keras.Sequential([
    keras.Input((D,)),
    layers.LayerNormalization(),
    layers.Dense(64, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dropout(0.1),
    layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
net.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
history = net.fit(train_x, train_y, batch_size=44, epochs=16, shuffle=True,
                  validation_data=(test_x, test_y), verbose=0)
for i, (l, v) in enumerate(zip(history.history["loss"], history.history["val_loss"])):
    print("epoch %2d  loss %.4f  val_loss %.4f" % (i + 1, l, v))

loss, acc = net.evaluate(test_x, test_y, verbose=0)
print("test loss %.4f  test accuracy %.4f" % (loss, acc))
