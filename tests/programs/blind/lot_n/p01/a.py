import numpy as np
import keras
from keras import layers

SEED = 4
WIDTH = 32
BLOCKS = 4
BATCH = 40
EPOCHS = 10

rng = np.random.default_rng(101)
X = rng.normal(size=(1500, 16)).astype("float32")
w1 = rng.normal(size=(16, 24)) / 4.0
w2 = rng.normal(size=(24, 4))
score = np.tanh(2.0 * X @ w1) @ w2
y = score.argmax(1).astype("int64")
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

keras.utils.set_random_seed(SEED)

inputs = keras.Input((16,))
h = layers.Dense(WIDTH)(inputs)
for _ in range(BLOCKS):
    z = layers.Dense(2 * WIDTH, activation="relu")(h)
    z = layers.Dense(WIDTH)(z)
    z = layers.LayerNormalization(epsilon=1e-5)(z)
    h = layers.Add()([h, z])
outputs = layers.Dense(4)(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
logits = model.predict(X_test, verbose=0)
print(f"test loss {model.evaluate(X_test, y_test, verbose=0):.4f} "
      f"accuracy {(logits.argmax(1) == y_test).mean():.4f}")
