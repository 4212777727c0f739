import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(3)
BATCH, EPOCHS, LR = 50, 8, 0.02

data = load_digits()
images = (data.images / 16.0).astype("float32")
labels = data.target.astype("int64")
perm = np.random.RandomState(42).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = images[:1450, :, :, None], labels[:1450]
x_test, y_test = images[1450:, :, :, None], labels[1450:]


def build():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(10),
    ])


model = build()
optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=0.9, nesterov=True)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy(yb, model(xb, training=True), from_logits=True)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return tf.reduce_mean(loss)


for epoch in range(EPOCHS):
    losses = []
    for i in range(0, len(x_train), BATCH):
        losses.append(float(train_step(x_train[i:i + BATCH], y_train[i:i + BATCH])))
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

logits = model(x_test, training=False)
print("test loss", float(loss_fn(y_test, logits)))
print("test accuracy", float(np.mean(np.argmax(logits, axis=1) == y_test)))
