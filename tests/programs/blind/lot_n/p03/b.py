import numpy as np
import keras
from keras import layers

SEED = 14
BATCH = 64
EPOCHS = 15

rng = np.random.default_rng(33)
X = rng.normal(size=(1600, 20)).astype("float32")
A = rng.normal(size=(20, 12)) / np.sqrt(20)
B = rng.normal(size=(12, 8))
Y = (np.tanh(1.5 * X @ A) @ B + 0.2 * rng.normal(size=(1600, 8))).astype("float32")
X_train, Y_train, X_test, Y_test = X[:1300], Y[:1300], X[1300:], Y[1300:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(8),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.CosineSimilarity(axis=-1),
)
history = model.fit(X_train, Y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
print(f"test loss {model.evaluate(X_test, Y_test, verbose=0):.4f}")
