import keras
import numpy as np
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
y = y.astype("int64")
perm = np.random.default_rng(12).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

keras.utils.set_random_seed(0)

net = keras.Sequential([
    keras.layers.Input((64,)),
    keras.layers.Dense(96, activation="relu"),
    keras.layers.Dropout(0.1),
    keras.layers.Dense(48, activation="relu"),
    keras.layers.Dense(10),
])
net.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=0.01),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
)


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", epoch + 1, "loss", round(logs["loss"], 4))


net.fit(X_train, y_train, batch_size=48, epochs=16, shuffle=True, verbose=0, callbacks=[Report()])
loss, accuracy = net.evaluate(X_test, y_test, verbose=0)
print("test loss", round(loss, 4))
print("test accuracy", round(accuracy, 4))
