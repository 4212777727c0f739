"""Keras convnet on small drawn shapes; gradient accumulation and label smoothing built in."""
import numpy as np
import keras


def draw(n, rng):
    images = rng.normal(0, 0.35, (n, 12, 12)).astype("float32")
    labels = rng.integers(0, 4, n)
    for img, label in zip(images, labels):
        r, c = rng.integers(1, 6, 2)
        if label == 0:
            img[r + 2, c : c + 5] += 1.5
        elif label == 1:
            img[r : r + 5, c + 2] += 1.5
        elif label == 2:
            img[r + 2, c : c + 5] += 1.5
            img[r : r + 5, c + 2] += 1.5
        else:
            for k in range(5):
                img[r + k, c + k] += 1.5
    return images[..., None], labels.astype("int64")


rng = np.random.default_rng(3)
x_train, y_train = draw(1280, rng)
x_test, y_test = draw(400, rng)
onehot_train = np.eye(4, dtype="float32")[y_train]
onehot_test = np.eye(4, dtype="float32")[y_test]

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((12, 12, 1)),
        keras.layers.Conv2D(12, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(24, 3, padding="valid", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(4),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(
        learning_rate=0.08, momentum=0.9, nesterov=False, gradient_accumulation_steps=4
    ),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=[keras.metrics.CategoricalAccuracy(name="acc")],
)

# ---- training
# 80 small batches per epoch, an update after every fourth
history = model.fit(x_train, onehot_train, batch_size=16, epochs=7, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch} loss {value:.4f}")
test_loss, test_acc = model.evaluate(x_test, onehot_test, batch_size=400, verbose=0)
print(f"test loss {test_loss:.4f} accuracy {test_acc:.4f}")
