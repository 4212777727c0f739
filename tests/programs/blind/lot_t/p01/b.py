"""Churn-like classifier on noisy tabular data, TensorFlow custom loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers

L2 = 0.01
BATCH = 50
EPOCHS = 30


def make_data():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(900, 24)).astype("float32")
    score = x[:, 0] - 0.8 * x[:, 1] + 0.7 * x[:, 2] * x[:, 3] + 0.9 * rng.normal(size=900)
    y = np.digitize(score, [-0.6, 0.6]).astype("int64")
    return x[:600], y[:600], x[600:], y[600:]


keras.utils.set_random_seed(21)
x_train, y_train, x_test, y_test = make_data()

model = keras.Sequential([
    keras.Input((24,)),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(L2)),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(L2)),
    layers.Dense(3, kernel_regularizer=regularizers.L2(L2)),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)

dataset = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(len(x_train), reshuffle_each_iteration=True)
           .batch(BATCH))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = loss_fn(yb, logits)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in dataset:
        total += float(train_step(xb, yb)) * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  cross-entropy {total / len(x_train):.4f}")

logits = model(x_test, training=False)
print("test cross-entropy", round(float(loss_fn(y_test, logits)), 4))
print("test accuracy", round(float(np.mean(np.argmax(logits, 1) == y_test)), 4))
