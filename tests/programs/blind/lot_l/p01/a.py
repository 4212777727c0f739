"""Linear probe on a fixed filter bank, then fine-tune everything (Keras)."""
import numpy as np
import keras
from keras import layers

SIZE, CLASSES, BATCH, EPOCHS = 16, 6, 32, 6


def make_data(n, rng):
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    centres = [(4, 4), (4, 11), (11, 4), (11, 11), (7, 7), (3, 8)]
    x = np.empty((n, SIZE, SIZE, 1), "float32")
    y = rng.integers(0, CLASSES, n)
    for i in range(n):
        cy, cx = centres[y[i]]
        cy, cx = cy + rng.normal(0, 0.8), cx + rng.normal(0, 0.8)
        angle = rng.uniform(0, np.pi)
        d = (yy - cy) * np.cos(angle) + (xx - cx) * np.sin(angle)
        r = (yy - cy) ** 2 + (xx - cx) ** 2
        img = np.exp(-d ** 2 / 2.0 - r / 10.0) + rng.normal(0, 0.35, (SIZE, SIZE))
        x[i, :, :, 0] = img
    return x, y.astype("int64")


def numpy_features(x, kernel, bias):
    """conv 3x3 'same' + relu + max pool 4, rows (h, w, c)."""
    p = np.pad(x[..., 0], ((0, 0), (1, 1), (1, 1)))
    out = np.zeros(x.shape[:3] + (kernel.shape[-1],), "float32")
    for i in range(3):
        for j in range(3):
            out += p[:, i:i + SIZE, j:j + SIZE, None] * kernel[i, j, 0]
    out = np.maximum(out + bias, 0.0)
    out = out.reshape(len(x), SIZE // 4, 4, SIZE // 4, 4, -1).max((2, 4))
    return out.reshape(len(x), -1)


def probe(x, y, rng):
    kernel = rng.normal(0, 0.35, (3, 3, 1, 8)).astype("float32")
    bias = np.zeros(8, "float32")
    f = numpy_features(x, kernel, bias)
    mu = f.mean(0)
    t = np.eye(CLASSES)[y] - 1.0 / CLASSES
    w = np.linalg.solve((f - mu).T @ (f - mu) + 20.0 * np.eye(f.shape[1]), (f - mu).T @ t)
    w = 4.0 * w
    return kernel, bias, w.astype("float32"), (-mu @ w).astype("float32")


rng = np.random.default_rng(11)
x_train, y_train = make_data(960, rng)
x_test, y_test = make_data(400, rng)
conv_w, conv_b, head_w, head_b = probe(x_train[:320], y_train[:320], rng)

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((SIZE, SIZE, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(4),
    layers.Flatten(),
    layers.Dense(CLASSES),
])
model.layers[0].set_weights([conv_w, conv_b])
model.layers[-1].set_weights([head_w, head_b])

# training
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e, l in enumerate(hist.history["loss"]):
    print(f"epoch {e + 1} loss {l:.4f}")
test_loss, test_acc = model.evaluate(x_test, y_test, batch_size=200, verbose=0)
print(f"test loss {test_loss:.4f} acc {test_acc:.4f}")
