import keras
import numpy as np
from keras import layers, regularizers

keras.utils.set_random_seed(3)

rng = np.random.default_rng(2024)
N, D = 930, 12
X = rng.normal(size=(N + 400, D)).astype("float32")
score = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] ** 2 - 0.5
Y = (score + 0.3 * rng.normal(size=N + 400) > 0).astype("float32")[:, None]
X_tr, Y_tr, X_va, Y_va = X[:N], Y[:N], X[N:], Y[N:]


def build():
    inputs = keras.Input((D,))
    h = inputs
    for units in (48, 24):
        h = layers.Dense(units, use_bias=False, kernel_regularizer=regularizers.L2(5e-4))(h)
        h = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(h)
        h = layers.Activation("relu")(h)
        h = layers.Dropout(0.1)(h)
    outputs = layers.Dense(1, kernel_regularizer=regularizers.L2(5e-4))(h)
    return keras.Model(inputs, outputs)


model = build()
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=3e-3, rho=0.9, momentum=0.0, epsilon=1e-7),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
model.fit(X_tr, Y_tr, batch_size=60, epochs=25, shuffle=True, verbose=0)

logits = model.predict(X_va, batch_size=400, verbose=0)
bce = float(keras.losses.BinaryCrossentropy(from_logits=True)(Y_va, logits))
print("validation bce %.4f  accuracy %.4f" % (bce, np.mean((logits > 0) == (Y_va > 0.5))))
