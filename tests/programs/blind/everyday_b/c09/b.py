"""Siamese network: do two images show the same digit? (TensorFlow, custom loop)"""
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

MARGIN = 1.0


def make_pairs(images, labels, n_pairs, rng):
    by_class = [np.flatnonzero(labels == c) for c in range(10)]
    left, right, same = [], [], []
    for k in range(n_pairs):
        c = rng.integers(10)
        d = c if k % 2 == 0 else (c + rng.integers(1, 10)) % 10
        left.append(rng.choice(by_class[c]))
        right.append(rng.choice(by_class[d]))
        same.append(float(c == d))
    return images[left], images[right], np.array(same, dtype="float32")


digits = load_digits()
rng = np.random.default_rng(55)
perm = rng.permutation(len(digits.target))
images = (digits.data[perm] / 16.0).astype("float32")
labels = digits.target[perm]
train_pairs = make_pairs(images[:1200], labels[:1200], 2400, rng)
test_pairs = make_pairs(images[1200:], labels[1200:], 600, rng)

keras.utils.set_random_seed(9)

encoder = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="tanh"),
        keras.layers.Dense(32, activation="tanh"),
        keras.layers.Dense(8),
    ],
    name="encoder",
)
left = keras.Input((64,))
right = keras.Input((64,))
delta = encoder(left) - encoder(right)
distance = keras.layers.Lambda(lambda d: tf.sqrt(tf.reduce_sum(tf.square(d), axis=1) + 1e-6))(delta)
model = keras.Model([left, right], distance)

optimizer = keras.optimizers.Adagrad(learning_rate=0.03, initial_accumulator_value=0.1, epsilon=1e-10)


def contrastive_loss(distance, same):
    hinge = tf.maximum(MARGIN - distance, 0.0)
    return tf.reduce_mean(same * tf.square(distance) + (1.0 - same) * tf.square(hinge))


@tf.function
def train_step(a, b, same):
    with tf.GradientTape() as tape:
        loss = contrastive_loss(model([a, b], training=True), same)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


pairs = tf.data.Dataset.from_tensor_slices(train_pairs).shuffle(2400, reshuffle_each_iteration=True).batch(60)

# ---- training
for epoch in range(10):
    losses = [train_step(a, b, same).numpy() for a, b, same in pairs]
    print(f"epoch {epoch + 1}: contrastive loss {np.mean(losses):.4f}")

a, b, same = test_pairs
distance = model([a, b], training=False)
print(f"test loss {float(contrastive_loss(distance, same)):.4f}")
print(f"test accuracy {np.mean((distance.numpy() < 0.5) == (same > 0.5)):.4f}")
