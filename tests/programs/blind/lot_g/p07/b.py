# Churn prediction on synthetic customers. Keras version.
import numpy as np
import keras
from keras import layers

SEED = 42
rng = np.random.default_rng(1234)
n = 2000
features = rng.standard_normal((n, 10)).astype("float32")
score = 0.5 * features[:, 0] - 0.4 * features[:, 1] + 0.3 * features[:, 2] * features[:, 3] \
    + 0.4 * np.abs(features[:, 4]) + 0.1
churn = (rng.random(n) < 1 / (1 + np.exp(-score))).astype("float32")[:, None]
X_tr, y_tr = features[:1500], churn[:1500]
X_va, y_va = features[1500:], churn[1500:]

keras.utils.set_random_seed(SEED)
model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(16, activation="tanh"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
h = model.fit(X_tr, y_tr, batch_size=50, epochs=12, validation_data=(X_va, y_va), verbose=0).history
for e in range(12):
    print("epoch %d: loss %.4f acc %.4f val_loss %.4f val_acc %.4f" % (
        e + 1, h["loss"][e], h["accuracy"][e], h["val_loss"][e], h["val_accuracy"][e]))
