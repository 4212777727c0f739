import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(21)

images, labels = load_digits(return_X_y=True)
idx = np.random.default_rng(11).permutation(len(images))
images = (images[idx].reshape(-1, 8, 8, 1) / 16.0).astype(np.float32)
labels = labels[idx].astype(np.int64)
n_train = 1400

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
    layers.Dropout(0.25),
    layers.Dense(10),
])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=loss,
)
model.fit(images[:n_train], labels[:n_train], batch_size=50, epochs=12, verbose=0)

out = model.predict(images[n_train:], verbose=0)
print("test loss %.4f" % float(loss(labels[n_train:], out)),
      "test acc %.4f" % np.mean(out.argmax(-1) == labels[n_train:]))
