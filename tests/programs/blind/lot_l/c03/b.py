import numpy as np
import tensorflow as tf
import keras
from keras import layers

STEPS, FEATURES, UNITS, BATCH, EPOCHS = 16, 5, 24, 30, 12


def machines(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.randn(n, STEPS, FEATURES)
    drift = np.cumsum(x[:, :, 0], 1)[:, -1] / 4.0
    late = x[:, -5:, 1].mean(1) * 2.0
    y = (drift - late + 0.2 * rng.randn(n)) > 0
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


x_train, y_train = machines(700, 60)
x_test, y_test = machines(400, 61)

keras.utils.set_random_seed(34)
model = keras.Sequential([
    keras.Input((STEPS, FEATURES)),
    layers.LSTM(UNITS),
    layers.Dense(1),
])

# training
optimizer = keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-10)
criterion = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((x_train, y_train))
ds = ds.shuffle(len(x_train), reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in ds:
        total += float(train_step(xb, yb)) * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

logit = model(x_test, training=False)
acc = np.mean((logit.numpy() > 0) == (y_test > 0.5))
print(f"test loss {float(criterion(y_test, logit)):.4f} acc {acc:.4f}")
