import numpy as np
import keras
from sklearn.datasets import load_wine

keras.utils.set_random_seed(0)

X, y = load_wine(return_X_y=True)
order = np.random.default_rng(5).permutation(len(y))
X, y = X[order], y[order]
n_train = 140
mu, sd = X[:n_train].mean(0), X[:n_train].std(0)
X = ((X - mu) / sd).astype(np.float32)

model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros"),
    keras.layers.Dense(12, activation="tanh", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros"),
    keras.layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.0),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

log = model.fit(X[:n_train], y[:n_train], batch_size=20, epochs=30, shuffle=True, verbose=0)
for k, v in enumerate(log.history["loss"], 1):
    if k % 5 == 0:
        print(f"epoch {k}: train loss {v:.4f}")

logits = model.predict(X[n_train:], batch_size=64, verbose=0)
loss = model.evaluate(X[n_train:], y[n_train:], batch_size=64, verbose=0)
print(f"test loss {loss:.4f} accuracy {np.mean(logits.argmax(1) == y[n_train:]):.3f}")
