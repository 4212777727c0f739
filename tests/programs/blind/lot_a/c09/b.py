import numpy as np
import tensorflow as tf
import keras
from keras import layers

LABELS, STEPS, BATCH = 6, 300, 48


def make(n, w1, w2, rng):
    x = rng.normal(size=(n, 16))
    score = np.tanh(x @ w1) @ w2 + rng.normal(scale=0.3, size=(n, LABELS))
    return x.astype("float32"), (score > 0.4).astype("float32")


def load():
    rng = np.random.default_rng(31)
    w1, w2 = rng.normal(size=(16, 10)) * 0.5, rng.normal(size=(10, LABELS))
    return make(960, w1, w2, rng) + make(400, w1, w2, rng)


def block(x, d):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(2 * d)(h)
    h = layers.Activation(lambda t: keras.activations.gelu(t, approximate=False))(h)
    h = layers.Dense(d)(h)
    h = layers.Dropout(0.1)(h)
    return layers.Add()([x, h])


def build():
    inp = keras.Input((16,))
    h = layers.Dense(32)(inp)
    h = block(h, 32)
    h = block(h, 32)
    return keras.Model(inp, layers.Dense(LABELS)(h))


def main():
    keras.utils.set_random_seed(40)
    x, y, xt, yt = load()
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=STEPS, alpha=0.0)
    opt = keras.optimizers.AdamW(schedule, weight_decay=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    opt.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(BATCH).repeat().take(STEPS)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = bce(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))

    for xb, yb in ds:
        train_step(xb, yb)

    print(f"train bce {float(bce(y, model(x, training=False))):.4f}")
    out = model(xt, training=False).numpy()
    print(f"test bce {float(bce(yt, out)):.4f} acc {((out > 0) == (yt > 0.5)).mean():.4f}")


if __name__ == "__main__":
    main()
