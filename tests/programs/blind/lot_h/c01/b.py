import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

EPOCHS = 7
BATCH = 64
LR = 0.03
MOMENTUM = 0.9


def make_data():
    d = load_digits()
    x = (d.images / 16.0).astype("float32")
    y = d.target.astype("int64")
    order = np.random.RandomState(11).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def build_model():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu",
                      kernel_initializer="he_uniform", bias_initializer="zeros"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu",
                      kernel_initializer="he_uniform", bias_initializer="zeros"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(8)
    xtr, ytr, xte, yte = make_data()
    xtr, xte = xtr[..., None], xte[..., None]

    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM, nesterov=False),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    ds = tf.data.Dataset.from_tensor_slices((xtr, keras.utils.to_categorical(ytr, 10)))
    ds = ds.shuffle(len(xtr), reshuffle_each_iteration=True).batch(BATCH)
    hist = model.fit(ds, epochs=EPOCHS, verbose=0)
    for epoch, loss in enumerate(hist.history["loss"]):
        print(f"epoch {epoch + 1} loss {loss:.4f}")

    logits = model.predict(xte, verbose=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(yte, logits)
    acc = np.mean(logits.argmax(1) == yte)
    print("test loss %.4f acc %.4f" % (float(loss), acc))


if __name__ == "__main__":
    main()
