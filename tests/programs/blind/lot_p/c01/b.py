import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(3)

digits = load_digits()
x = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(11).permutation(len(x))
x, y = x[order], y[order]
x_train, y_train = x[:1400, ..., None], y[:1400]
x_test, y_test = x[1400:, ..., None], y[1400:]


def l2():
    return regularizers.L2(5e-4)


model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu", kernel_regularizer=l2()),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu", kernel_regularizer=l2()),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(48, activation="relu", kernel_regularizer=l2()),
    layers.Dropout(0.25),
    layers.Dense(10, kernel_regularizer=l2()),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9), loss=loss_fn)

train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(64)

# train
model.fit(train_ds, epochs=12, verbose=0)

logits = model.predict(x_test, batch_size=len(x_test), verbose=0)
print("test cross-entropy %.4f" % float(loss_fn(y_test, logits)))
print("test accuracy %.4f" % np.mean(logits.argmax(1) == y_test))
