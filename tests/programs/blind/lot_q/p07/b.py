import numpy as np
import tensorflow as tf

BATCH, EPOCHS = 64, 20


def spirals():
    rng = np.random.RandomState(31)
    n = 1280
    c = rng.randint(0, 3, size=n)
    r = rng.uniform(0.1, 1.0, size=n)
    a = 3.5 * r + 2 * np.pi * c / 3 + 0.15 * rng.randn(n)
    x = np.stack([r * np.cos(a), r * np.sin(a)], axis=1) * 1.7
    return x.astype("float32"), c.astype("int64")


x, y = spirals()
x_val, y_val = x[1024:], y[1024:]
train = (tf.data.Dataset.from_tensor_slices((x[:1024], y[:1024]))
         .shuffle(1024, reshuffle_each_iteration=True).batch(BATCH))
steps_per_epoch = 1024 // BATCH

tf.keras.utils.set_random_seed(41)


def block():
    return [tf.keras.layers.Dense(48, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
            tf.keras.layers.LayerNormalization(epsilon=1e-5),
            tf.keras.layers.ReLU()]


model = tf.keras.Sequential([tf.keras.Input((2,))] + block() + block() + [
    tf.keras.layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros")])

schedule = tf.keras.optimizers.schedules.ExponentialDecay(
    0.002, decay_steps=steps_per_epoch, decay_rate=0.94, staircase=True)
optimizer = tf.keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-10)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    losses = [float(train_step(xb, yb)) for xb, yb in train]
    print(f"epoch {epoch + 1}/{EPOCHS} loss {np.mean(losses):.4f}")

out = model(x_val, training=False)
acc = np.mean(np.argmax(out.numpy(), axis=1) == y_val)
print(f"val loss {float(criterion(y_val, out)):.4f} acc {acc:.3f}")
