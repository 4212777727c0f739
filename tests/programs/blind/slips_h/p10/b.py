"""Transfer learning: a base learnt on digits 0-4, frozen, a new head for 5-9. Custom loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(4)

# data
x, y = load_digits(return_X_y=True)
x = (x / 16.0).astype("float32").reshape(-1, 8, 8, 1)
order = np.random.RandomState(12).permutation(len(x))
x, y = x[order], y[order]
source_x, source_y = x[y < 5], y[y < 5]
target_x, target_y = x[y >= 5], y[y >= 5] - 5
target_x_test, target_y_test = target_x[600:], target_y[600:]
target_x, target_y = target_x[:600], target_y[:600]


def conv_block(filters):
    return [layers.Conv2D(filters, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
            layers.ReLU()]


base = keras.Sequential([keras.Input((8, 8, 1))] + conv_block(12) + [layers.MaxPooling2D(2)]
                        + conv_block(24) + [layers.GlobalAveragePooling2D()], name="base")
source_head = keras.Sequential([keras.Input((24,)), layers.Dense(5)])
target_head = keras.Sequential([keras.Input((24,)), layers.Dense(32, activation="relu"),
                                layers.Dropout(0.2), layers.Dense(5)])


def cross_entropy(labels, logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def make_step(head, optimizer, train_base):
    """One update; the base keeps its weights unless train_base."""
    variables = list(head.trainable_variables)
    if train_base:
        variables = base.trainable_variables + variables

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            features = base(xb, training=True)
            loss = cross_entropy(yb, head(features, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def run(step, xs, ys, epochs, report=None):
    data = tf.data.Dataset.from_tensor_slices((xs, ys)).shuffle(
        len(xs), reshuffle_each_iteration=True).batch(32)
    for epoch in range(epochs):
        total = sum(float(step(xb, yb)) * len(xb) for xb, yb in data)
        line = f"epoch {epoch + 1} loss {total / len(xs):.4f}"
        print(line + (report() if report else ""))


def test_report():
    logits = target_head(base(target_x_test, training=False), training=False)
    accuracy = np.mean(np.argmax(logits, axis=1) == target_y_test)
    return f" val_loss {float(cross_entropy(target_y_test, logits)):.4f} val_acc {accuracy:.4f}"


# stage one: the source task
adam = keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
run(make_step(source_head, adam, True), source_x, source_y, 8)

# stage two: freeze, new head
sgd = keras.optimizers.SGD(0.1, momentum=0.9)
run(make_step(target_head, sgd, False), target_x, target_y, 12, test_report)
