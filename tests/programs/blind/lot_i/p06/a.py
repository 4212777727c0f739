import keras
import numpy as np
from keras import layers

EPOCHS = 15
N = 1500

rng = np.random.default_rng(12)
drift = rng.normal(size=(N, 3))
counts = np.round(1.2e9 + 220.0 * drift)
target = np.sin(1.5 * drift[:, 0]) + 0.5 * drift[:, 1] * drift[:, 2] + 0.05 * rng.normal(size=N)
target = target[:, None].astype("float32")
train_x, train_y = counts[:1200], target[:1200]
test_x, test_y = counts[1200:], target[1200:]

center, scale = 1.2e9, 220.0

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((3,)),
    layers.Rescaling(1.0 / scale, offset=-center / scale),
    layers.Dense(32, activation="tanh"),
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=5e-3, epsilon=1e-12), loss="mse")
history = model.fit(train_x, train_y, batch_size=40, epochs=EPOCHS, verbose=0,
                    validation_data=(test_x, test_y))
for i in range(EPOCHS):
    print(f"epoch {i + 1}: mse {history.history['loss'][i]:.4f} val_mse {history.history['val_loss'][i]:.4f}")
