"""Handwritten digits: one hidden layer, loss and penalty written out, GradientTape loop."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(7).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype(np.float32)
y = digits.target[order]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

keras.utils.set_random_seed(41)
ALPHA, BATCH, EPOCHS = 0.05, 60, 10


def dense(n_in, n_out, activation=None):
    # weights AND biases uniform in +-sqrt(6 / (fan_in + fan_out))
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([keras.Input((64,)), dense(64, 48, "relu"), dense(48, 10)])
optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


def cross_entropy(logits, labels):
    shifted = logits - tf.reduce_max(logits, axis=1, keepdims=True)
    log_norm = tf.math.log(tf.reduce_sum(tf.exp(shifted), axis=1))
    picked = tf.reduce_sum(shifted * tf.one_hot(labels, 10), axis=1)
    return tf.reduce_mean(log_norm - picked)


def penalty(batch):
    squares = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
    return 0.5 * ALPHA * squares / tf.cast(batch, tf.float32)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = cross_entropy(logits, yb) + penalty(tf.shape(xb)[0])
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
data = tf.data.Dataset.from_tensor_slices((X_train, y_train.astype(np.int32)))
data = data.shuffle(len(X_train), reshuffle_each_iteration=True).batch(BATCH)

for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for xb, yb in data:
        total += float(train_step(xb, yb)) * len(xb)
    print(f"epoch {epoch:2d}  train loss {total / len(X_train):.4f}")

logits = model(X_test, training=False)
test_loss = float(cross_entropy(logits, y_test.astype(np.int32)))
accuracy = float(np.mean(np.argmax(logits.numpy(), axis=1) == y_test))
print(f"test log loss {test_loss:.4f}  accuracy {accuracy:.4f}")
