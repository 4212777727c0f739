"""Digits 8x8 with a small CNN in Keras."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

EPOCHS, BATCH = 13, 32
LR, MU, CLIP, SMOOTH, CLASSES = 0.05, 0.9, 1.0, 0.1, 10

digits = load_digits()
images = (digits.images / 16.0).astype("float32")
labels = digits.target.astype("int64")
perm = np.random.default_rng(0).permutation(len(images))
train, test = perm[:1400], perm[1400:]
x_train, x_test = images[train][..., None], images[test][..., None]
y_train = keras.utils.to_categorical(labels[train], CLASSES)
y_test = keras.utils.to_categorical(labels[test], CLASSES)

keras.utils.set_random_seed(7)
init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu", **init),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu", **init),
    layers.GlobalAveragePooling2D(),
    layers.Dense(CLASSES, **init),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=MU, nesterov=True, clipnorm=CLIP),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTH),
)

# training
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  train loss {value:.4f}")

test_loss = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
logits = model.predict(x_test, batch_size=len(x_test), verbose=0)
acc = float((logits.argmax(1) == labels[test]).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
