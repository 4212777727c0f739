"""Residual MLP regression, Keras layers with a GradientTape loop, AdamW with warm-up and cosine decay."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)

N_TRAIN, N_TEST, BATCH, EPOCHS = 1000, 400, 40, 16
WIDTH, BLOCKS = 32, 2
STEPS = EPOCHS * (N_TRAIN // BATCH)
WARMUP = 50


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(n, 8))
    y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) - 0.5 * x[:, 4] ** 2
    y = y + 0.1 * rng.standard_t(3, size=n)
    return x.astype("float32"), y.astype("float32")[:, None]


x_train, y_train = make_data(N_TRAIN, 10)
x_test, y_test = make_data(N_TEST, 11)

inp = keras.Input((8,))
h = layers.Dense(WIDTH)(inp)
for _ in range(BLOCKS):
    r = layers.LayerNormalization(epsilon=1e-5)(h)
    r = layers.Dense(2 * WIDTH, activation="gelu")(r)
    r = layers.Dense(WIDTH)(r)
    h = layers.Add()([h, r])
h = layers.LayerNormalization(epsilon=1e-5)(h)
model = keras.Model(inp, layers.Dense(1)(h))

schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=1e-4, decay_steps=STEPS - WARMUP, alpha=0.05,
    warmup_target=4e-3, warmup_steps=WARMUP,
)
optimizer = keras.optimizers.AdamW(
    schedule, weight_decay=0.05, beta_1=0.9, beta_2=0.99, epsilon=1e-7,
)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
huber = keras.losses.Huber(delta=0.5)

dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
dataset = dataset.shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(BATCH)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = huber(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    losses = [float(train_step(xb, yb)) for xb, yb in dataset]
    print(f"epoch {epoch + 1:2d} huber {np.mean(losses):.5f}")

pred = model(x_test, training=False)
print(f"test huber {float(huber(y_test, pred)):.5f} mae {float(tf.reduce_mean(tf.abs(pred - y_test))):.5f}")
