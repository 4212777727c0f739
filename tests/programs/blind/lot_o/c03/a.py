"""Sequence classification with a GRU: does the marked pair of values sum above zero?"""
import keras
import numpy as np

rng = np.random.default_rng(5)
N, T = 1100, 12
values = rng.normal(size=(N, T))
marks = np.zeros((N, T))
for row in range(N):
    marks[row, rng.choice(T, size=2, replace=False)] = 1.0
X = np.stack([values, marks], axis=-1).astype("float32")
y = ((values * marks).sum(1) > 0).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:900], y[:900], X[900:], y[900:]

keras.utils.set_random_seed(44)
inputs = keras.Input((T, 2))
h = keras.layers.GRU(24, kernel_regularizer=keras.regularizers.L2(1e-4))(inputs)
h = keras.layers.Dropout(0.1)(h)
outputs = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1e-3))(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=5e-3, rho=0.9, momentum=0.0, epsilon=1e-7, global_clipnorm=1.0),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
history = model.fit(X_train, y_train, batch_size=50, epochs=25, shuffle=True, verbose=0)
for epoch in range(4, 25, 5):
    print(f"epoch {epoch + 1} total loss {history.history['loss'][epoch]:.4f}")
loss, accuracy = model.evaluate(X_test, y_test, batch_size=200, verbose=0)
print(f"test loss {loss:.4f} accuracy {accuracy:.4f}")
