"""Dilated causal convolutions (Keras layers) estimate frequency and amplitude of a wave."""
import numpy as np
import tensorflow as tf
import keras


def waves(n, rng):
    freq = rng.uniform(0.1, 0.9, n)
    amp = rng.uniform(0.4, 2.0, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.arange(48)
    x = amp[:, None] * np.sin(freq[:, None] * t + phase[:, None]) + rng.normal(0, 0.15, (n, 48))
    y = np.stack([4.0 * (freq - 0.5), 2.0 * (amp - 1.2)], axis=1)
    y[rng.uniform(size=n) < 0.05] *= 3.0  # some outliers
    return x[:, :, None].astype("float32"), y.astype("float32")


rng = np.random.default_rng(55)
x_train, y_train = waves(960, rng)
x_test, y_test = waves(320, rng)

keras.utils.set_random_seed(30)
model = keras.Sequential(
    [
        keras.Input((48, 1)),
        keras.layers.Conv1D(16, 4, padding="causal", activation="elu"),
        keras.layers.Conv1D(16, 4, padding="causal", dilation_rate=3, activation="elu"),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(16, activation="elu"),
        keras.layers.Dense(2),
    ]
)
huber = keras.losses.Huber(delta=0.5)
schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=2e-4, decay_steps=210, alpha=0.05, warmup_target=4e-3, warmup_steps=30
)
optimizer = keras.optimizers.RMSprop(
    learning_rate=schedule, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, global_clipnorm=0.3
)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = huber(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
data = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(960).batch(32)
for epoch in range(1, 9):
    losses = [float(train_step(xb, yb)) for xb, yb in data]
    print(f"epoch {epoch} huber {np.mean(losses):.4f}")

print(f"test huber {float(huber(y_test, model(x_test, training=False))):.4f}")
