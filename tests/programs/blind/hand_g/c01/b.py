"""Small CNN on the 8x8 digits, Keras fit, label smoothing written out."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(202)

digits = load_digits()
images = (digits.images / 16.0).astype(np.float32)
labels = digits.target.astype(np.int64)
order = np.random.RandomState(3).permutation(len(images))
images, labels = images[order], labels[order]
x_train, y_train = images[:1437], labels[:1437]
x_test, y_test = images[1437:], labels[1437:]

SMOOTH = 0.1
CLASSES = 10


def smoothed_cross_entropy(onehot, logits):
    # target = (1 - s) * onehot + s / K ; one number per sample
    target = (1.0 - SMOOTH) * onehot + SMOOTH / CLASSES
    shifted = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    log_p = shifted - tf.math.log(tf.reduce_sum(tf.exp(shifted), axis=-1, keepdims=True))
    return -tf.reduce_sum(target * log_p, axis=-1)


model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
    loss=smoothed_cross_entropy,
    metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
)

# training
model.fit(x_train[..., None], keras.utils.to_categorical(y_train, CLASSES),
          batch_size=32, epochs=8, shuffle=True, verbose=2)

test_loss, test_acc = model.evaluate(x_test[..., None], keras.utils.to_categorical(y_test, CLASSES), verbose=0)
print(f"test loss {test_loss:.4f}  test accuracy {test_acc:.4f}")
