import keras
import numpy as np


def spirals(per_class, seed, classes=5):
    rng = np.random.default_rng(seed)
    xs, ys = [], []
    for c in range(classes):
        r = np.linspace(0.1, 1.0, per_class)
        angle = 2 * np.pi * c / classes + 2.0 * r + 0.12 * rng.standard_normal(per_class)
        xs.append(np.stack([r * np.sin(angle), r * np.cos(angle)], axis=1))
        ys.append(np.full(per_class, c))
    return np.concatenate(xs).astype("float32"), np.concatenate(ys).astype("int64")


X, y = spirals(200, 1)
X_test, y_test = spirals(80, 2)

keras.utils.set_random_seed(55)
model = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(5),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(X, y, validation_split=0.2, batch_size=32, epochs=20, shuffle=True, verbose=0)
for epoch, (a, b) in enumerate(zip(hist.history["loss"], hist.history["val_loss"])):
    print(f"epoch {epoch + 1:2d} loss {a:.4f} val_loss {b:.4f}")

pred = model.predict(X_test, verbose=0).argmax(axis=1)
print(f"test accuracy {np.mean(pred == y_test):.4f}")
