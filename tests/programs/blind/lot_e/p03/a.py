import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

bunch = load_digits()
p = np.random.RandomState(2).permutation(len(bunch.target))
X = (bunch.data[p] / 16.0).astype("float32")
y = bunch.target[p]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(40, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
    layers.Dense(20, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
    layers.Dense(10, kernel_initializer=keras.initializers.GlorotUniform(seed=3)),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.01, epsilon=1e-14),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
log = model.fit(X_train, y_train, batch_size=48, epochs=12, verbose=0)
print("loss per epoch", np.round(log.history["loss"], 4).tolist())
print("test accuracy", float((model.predict(X_test, verbose=0).argmax(1) == y_test).mean()))
