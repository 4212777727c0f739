import keras
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(7).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
X_train, y_train = X[:1440], y[:1440]
X_test, y_test = X[1440:], y[1440:]

EPOCHS, BATCH = 25, 72
LR, DECAY = 2e-3, 0.02

keras.utils.set_random_seed(0)
inputs = keras.Input((64,))
h = keras.layers.Dense(64, activation="tanh", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros")(inputs)
h = keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros")(h)
outputs = keras.layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999,
                                    epsilon=1e-12, weight_decay=DECAY),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
log = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
print("train loss", [round(v, 4) for v in log.history["loss"][::6]])

loss = model.evaluate(X_test, y_test, batch_size=len(X_test), verbose=0)
pred = model.predict(X_test, verbose=0).argmax(axis=1)
print("test loss %.4f" % loss)
print("test acc  %.4f" % np.mean(pred == y_test))
