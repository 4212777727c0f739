import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_diabetes

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(30).permutation(len(X))
X, y = X[perm], y[perm]
X = (X / X[:350].std(0)).astype("float32")
y = ((y - y[:350].mean()) / y[:350].std()).astype("float32").reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:350], y[:350], X[350:], y[350:]

keras.utils.set_random_seed(10)
model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="elu", kernel_initializer="he_normal", kernel_regularizer=regularizers.L2(2e-3)),
    layers.BatchNormalization(momentum=0.95, epsilon=1e-3),
    layers.Dropout(0.2),
    layers.Dense(16, activation="elu", kernel_initializer="he_normal", kernel_regularizer=regularizers.L2(2e-3)),
    layers.Dropout(0.1),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7),
    loss=keras.losses.Huber(delta=1.0),
)
model.fit(X_train, y_train, batch_size=32, epochs=30, shuffle=True, verbose=2)

pred = model.predict(X_test, verbose=0)
print("test huber", float(keras.losses.Huber(delta=1.0)(y_test, pred)))
print("test mae  ", float(np.abs(pred - y_test).mean()))
