"""Breast cancer classifier, trained with fit()."""
import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(33)

X, y = load_breast_cancer(return_X_y=True)
perm = np.random.default_rng(40).permutation(len(X))
X, y = X[perm], y[perm].astype("float32")[:, None]
n_train = 430
X = ((X - X[:n_train].mean(0)) / X[:n_train].std(0)).astype("float32")
x_train, y_train, x_test, y_test = X[:n_train], y[:n_train], X[n_train:], y[n_train:]

BATCH, EPOCHS, LR, L2 = 32, 20, 0.02, 1e-3
STEPS = -(-n_train // BATCH) * EPOCHS

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, use_bias=False, kernel_regularizer=regularizers.L2(L2)),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.Activation("relu"),
    layers.Dropout(0.2),
    layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(L2)),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(
        learning_rate=keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS),
        momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)
h = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0).history
for epoch in range(EPOCHS):
    print(f"epoch {epoch + 1} loss {h['loss'][epoch]:.4f} acc {h['acc'][epoch]:.4f}")

logits = model.predict(x_test, verbose=0)
bce = float(keras.losses.BinaryCrossentropy(from_logits=True)(y_test, logits))
print(f"test bce {bce:.4f} acc {np.mean((logits > 0) == (y_test > 0.5)):.4f}")
