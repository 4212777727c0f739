"""Wine cultivars with Adagrad, Keras."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_wine

keras.utils.set_random_seed(0)
EPOCHS, BATCH, LR = 40, 18, 0.02

X, y = load_wine(return_X_y=True)
perm = np.random.default_rng(3).permutation(len(X))
X, y = X[perm], y[perm]
X = ((X - X[:126].mean(0)) / X[:126].std(0)).astype("float32")
Xtr, ytr, Xte, yte = X[:126], y[:126], X[126:], y[126:]

inputs = keras.Input((13,))
h = layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(inputs)
h = layers.Dense(12, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
outputs = layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=LR, epsilon=1e-10),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(Xtr, ytr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(0, EPOCHS, 5):
    print(f"epoch {e + 1}: {hist.history['loss'][e]:.4f}")
logits = model.predict(Xte, verbose=0)
loss = model.evaluate(Xte, yte, verbose=0)
print(f"test loss {loss:.4f} accuracy {np.mean(logits.argmax(1) == yte):.4f}")
