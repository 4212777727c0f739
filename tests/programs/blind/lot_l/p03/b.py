import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

EPOCHS, BATCH, LR, DECAY_STEPS = 12, 64, 0.2, 138

digits = load_digits()
order = np.random.RandomState(5).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
X_train, y_train = X[:1437], y[:1437]
X_test, y_test = X[1437:], y[1437:]

keras.utils.set_random_seed(8)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(48, activation="tanh"),
    layers.Dense(24, activation="tanh"),
    layers.Dense(10),
])

# training
schedule = keras.optimizers.schedules.CosineDecay(LR, decay_steps=DECAY_STEPS, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss={value:.4f}")
loss, acc = model.evaluate(X_test, y_test, verbose=0)
print(f"test loss={loss:.4f} acc={acc:.4f}")
