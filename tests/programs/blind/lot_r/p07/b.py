import keras
import numpy as np
from sklearn.metrics import log_loss

rng = np.random.default_rng(23)
N, F, C = 860, 25, 4
centers = rng.normal(0, 1.0, size=(8, F))
group = rng.integers(0, 8, size=N)
X = (centers[group] + 1.6 * rng.standard_normal((N, F))).astype("float32")
y = group % C
X_train, y_train = X[:160], y[:160]
X_val, y_val = X[160:460], y[160:460]
X_test, y_test = X[460:], y[460:]

keras.utils.set_random_seed(17)


def dense(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    return keras.layers.Dense(
        n_out,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([
    keras.Input((F,)),
    dense(F, 32),
    keras.layers.ReLU(),
    dense(32, C),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
stop = keras.callbacks.EarlyStopping(
    monitor="val_accuracy", mode="max", min_delta=0.0, patience=15, restore_best_weights=True)
hist = model.fit(X_train, y_train, validation_data=(X_val, y_val), batch_size=20, epochs=40,
                 shuffle=True, callbacks=[stop], verbose=0)
proba = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(X_test, verbose=0)))
print("epochs", len(hist.epoch))
print(f"test accuracy {np.mean(proba.argmax(axis=1) == y_test):.4f}")
print(f"test log loss {log_loss(y_test, proba):.4f}")
