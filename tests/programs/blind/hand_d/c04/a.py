"""Marked-sum task with a Keras LSTM, custom loop, clipping by global norm."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(11)

T, UNITS, BATCH, EPOCHS = 12, 20, 40, 20


def marked_sum(n, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, size=(n, T))
    marks = (rng.random((n, T)) < 0.3).astype(float)
    x = np.stack([values, marks], axis=-1).astype("float32")
    y = (values * marks).sum(1, keepdims=True).astype("float32")
    return x, y


x_train, y_train = marked_sum(800, 3)
x_test, y_test = marked_sum(300, 4)

model = keras.Sequential([
    keras.Input((T, 2)),
    keras.layers.LSTM(UNITS),
    keras.layers.Dense(1),
])
loss_fn = keras.losses.LogCosh()
optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9)
dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(BATCH)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 0.5)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
for epoch in range(EPOCHS):
    for xb, yb in dataset:
        train_step(xb, yb)

print("train log-cosh %.5f" % float(loss_fn(y_train, model(x_train, training=False))))
print("test log-cosh  %.5f" % float(loss_fn(y_test, model(x_test, training=False))))
