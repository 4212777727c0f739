"""Small convolutional network on handwritten digits (Keras)."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 5
BATCH = 64
EPOCHS = 8


def make_data():
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32")
    images = np.kron(images, np.ones((1, 2, 2), dtype="float32"))  # 16 x 16
    labels = digits.target.astype("int64")
    order = np.random.default_rng(7).permutation(len(images))
    images, labels = images[order], labels[order]
    return images[:1400], labels[:1400], images[1400:], labels[1400:]


def build_model():
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.25),
        layers.Dense(10),
    ])


def main():
    keras.utils.set_random_seed(SEED)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(xtr[..., None], ytr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    loss, acc = model.evaluate(xte[..., None], yte, batch_size=len(xte), verbose=0)
    print(f"test loss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
