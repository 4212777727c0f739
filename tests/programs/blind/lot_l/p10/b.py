"""Churn: binary classifier on tabular features."""
import numpy as np
import tensorflow as tf
import keras

N_FEATURES = 24


def customers(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES))
    z = 1.3 * x[:, 0] - 0.9 * x[:, 1] * x[:, 2] + 0.8 * np.maximum(x[:, 3], 0) - 0.7 * x[:, 4] ** 2 + 0.4
    y = rng.random(n) < 1 / (1 + np.exp(-1.5 * z))
    return x.astype("float32"), y.astype("float32")[:, None]


x_train, y_train = customers(800, 31)
x_test, y_test = customers(1000, 32)

keras.utils.set_random_seed(200)
model = keras.Sequential([
    keras.Input((N_FEATURES,)),
    keras.layers.Dense(64, activation="silu"),
    keras.layers.Dense(64, activation="silu"),
    keras.layers.Dense(1),
])

# training
criterion = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.AdamW(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(64)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_weights)
    optimizer.apply(grads, model.trainable_weights)
    return loss


for epoch in range(30):
    total = 0.0
    for xb, yb in batches:
        total += float(train_step(xb, yb)) * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} bce {total / len(x_train):.4f}")

logits = model(x_test, training=False)
bce = float(criterion(y_test, logits))
acc = np.mean((logits.numpy() > 0) == (y_test > 0.5))
print(f"test bce {bce:.4f} acc {acc:.4f}")
