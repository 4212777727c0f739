"""Imbalanced digits, small CNN in TensorFlow; the smoothed, class-weighted loss is spelled out."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

CLASS_WEIGHTS = [0.7, 0.7, 0.7, 0.7, 0.7, 1.6, 1.6, 1.6, 1.6, 1.6]
SMOOTHING = 0.1


def make_data():
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(4)
    order = rng.permutation(len(images))
    images, labels = images[order] / 16.0, labels[order]
    keep = (labels < 5) | (rng.uniform(size=len(labels)) < 0.45)
    images, labels = images[keep], labels[keep]
    images = images.reshape(-1, 8, 8).astype(np.float32)
    labels = labels.astype(np.int64)
    return images[:1000], labels[:1000], images[1000:], labels[1000:]


def weighted_smoothed_ce(logits, labels):
    """every class term of the smoothed target carries its class weight;
    the mean divides by the summed weights of the true classes"""
    w = tf.constant(CLASS_WEIGHTS, tf.float32)
    logp = tf.nn.log_softmax(logits, axis=-1)
    onehot = tf.one_hot(labels, 10)
    target = (1.0 - SMOOTHING) * onehot + SMOOTHING / 10.0
    per_sample = -tf.reduce_sum(w * target * logp, axis=-1)
    return tf.reduce_sum(per_sample) / tf.reduce_sum(tf.gather(w, labels))


keras.utils.set_random_seed(2)
x_train, y_train, x_test, y_test = make_data()
x_train, x_test = x_train[..., None], x_test[..., None]

net = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(10),
])
optimizer = keras.optimizers.Adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-6)
data = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(32, drop_remainder=False))


@tf.function(reduce_retracing=True)
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = weighted_smoothed_ce(net(xb, training=True), yb)
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


for epoch in range(8):
    total = 0.0
    for xb, yb in data:
        total += float(step(xb, yb)) * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f}")

logits = net(x_test, training=False)
accuracy = np.mean(np.argmax(logits.numpy(), axis=1) == y_test)
print(f"test: loss {float(weighted_smoothed_ce(logits, y_test)):.4f} accuracy {accuracy:.4f}")
