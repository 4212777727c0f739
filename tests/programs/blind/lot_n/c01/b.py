import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 17
EPOCHS = 8
BATCH = 50

digits = load_digits()
X = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:1420], y[:1420]
X_test, y_test = X[1420:], y[1420:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(48, activation="relu"),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X_train[..., None], y_train, batch_size=BATCH, epochs=EPOCHS,
                    shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")

logits = model.predict(X_test[..., None], verbose=0)
test_loss = model.evaluate(X_test[..., None], y_test, verbose=0)
acc = (logits.argmax(1) == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")
