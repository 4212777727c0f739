import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(29)
W = rng.standard_normal((20, 5))
X = rng.standard_normal((1500, 20)).astype("float32")
score = np.tanh(X @ W) + 0.3 * X[:, :5] * X[:, 5:10]
y = np.argmax(score + 0.3 * rng.standard_normal(score.shape), axis=1).astype("int64")
X_train, y_train = X[:700], y[:700]
X_val, y_val = X[700:1000], y[700:1000]
X_test, y_test = X[1000:], y[1000:]

keras.utils.set_random_seed(70)
model = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(64, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(64, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(5),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
stopper = keras.callbacks.EarlyStopping(
    monitor="val_loss", mode="min", min_delta=0.0, patience=5, restore_best_weights=True)
hist = model.fit(X_train, y_train, validation_data=(X_val, y_val), batch_size=50, epochs=40,
                 shuffle=True, callbacks=[stopper], verbose=0)
for i, v in enumerate(hist.history["val_loss"]):
    print(f"epoch {i + 1:2d} val loss {v:.4f}")
loss, acc = model.evaluate(X_test, y_test, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
