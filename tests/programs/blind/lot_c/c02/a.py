import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

digits = load_digits()
perm = np.random.default_rng(3).permutation(len(digits.target))
x = (digits.images[perm] / 16.0).astype("float32")[..., None]
y = digits.target[perm].astype("int64")
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

keras.utils.set_random_seed(1)
reg = 1e-3
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu", kernel_regularizer=regularizers.L2(reg)),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 3, padding="same", activation="relu", kernel_regularizer=regularizers.L2(reg)),
    layers.Flatten(),
    layers.Dense(10, kernel_regularizer=regularizers.L2(reg)),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=64, epochs=9, verbose=0)
for e, value in enumerate(history.history["loss"], 1):
    print(f"epoch {e}: train objective {value:.4f}")

logits = model.predict(x_test, verbose=0)
print(f"test accuracy {(logits.argmax(1) == y_test).mean():.4f}")
