import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_diabetes

keras.utils.set_random_seed(2)

data = load_diabetes()
perm = np.random.default_rng(0).permutation(442)
x = (data.data[perm] / data.data.std(axis=0)).astype("float32")
y = data.target[perm]
y = ((y - y[:340].mean()) / y[:340].std()).astype("float32")[:, None]

reg = 0.01
model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="softplus", kernel_regularizer=regularizers.L2(reg)),
    layers.Dense(16, activation="softplus", kernel_regularizer=regularizers.L2(reg)),
    layers.Dense(1, kernel_regularizer=regularizers.L2(reg)),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mse",
)
hist = model.fit(x[:340], y[:340], batch_size=34, epochs=30, shuffle=True,
                 validation_data=(x[340:], y[340:]), verbose=0)
for e in range(30):
    print(f"epoch {e + 1} loss {hist.history['loss'][e]:.4f} val_loss {hist.history['val_loss'][e]:.4f}")
print("final validation loss", model.evaluate(x[340:], y[340:], batch_size=102, verbose=0))
