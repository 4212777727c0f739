import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

bunch = load_breast_cancer()
perm = np.random.default_rng(8).permutation(len(bunch.target))
X = bunch.data[perm]
y = bunch.target[perm].astype("float32")[:, None]
X = ((X - X[:430].mean(axis=0)) / X[:430].std(axis=0)).astype("float32")
X_train, y_train = X[:430], y[:430]
X_test, y_test = X[430:], y[430:]

keras.utils.set_random_seed(100)
model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(40, activation="relu", kernel_initializer="he_normal",
                 kernel_regularizer=regularizers.L2(1e-3)),
    layers.LayerNormalization(epsilon=1e-5),
    layers.Dropout(0.25),
    layers.Dense(20, activation="relu", kernel_initializer="he_normal",
                 kernel_regularizer=regularizers.L2(1e-3)),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, epsilon=1e-7),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(X_train, y_train, epochs=20, batch_size=32, shuffle=True, verbose=0)

logits = model.predict(X_test, verbose=0)
bce = np.mean(np.maximum(logits, 0) - logits * y_test + np.log1p(np.exp(-np.abs(logits))))
print(f"test bce {bce:.4f}  accuracy {np.mean((logits > 0) == (y_test > 0.5)):.4f}")
