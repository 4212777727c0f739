"""Sequence classification with one pre-norm transformer block (Keras)."""
import keras
import numpy as np
from keras import layers

T, D, HEADS, FF, CLASSES = 20, 32, 4, 64, 3
EPOCHS, BATCH, N_TRAIN = 12, 40, 900


def make_data():
    """Class = number of bumps (1, 2 or 3) hidden in noise."""
    rng = np.random.default_rng(303)
    n = 1200
    y = rng.integers(0, CLASSES, n)
    x = 0.3 * rng.standard_normal((n, T, 2))
    for i in range(n):
        where = rng.choice(T, y[i] + 1, replace=False)
        x[i, where, 0] += 2.0
        x[i, where, 1] -= 1.0
    x, y = x.astype(np.float32), y.astype(np.int64)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos = np.arange(T)[:, None] / 10000 ** (2 * np.arange(D // 2)[None, :] / D)
    return np.concatenate([np.sin(pos), np.cos(pos)], axis=1).astype(np.float32)


def make_model():
    inputs = keras.Input((T, 2))
    x = layers.Dense(D, name="embed")(inputs) + positions()[None]
    h = layers.LayerNormalization(epsilon=1e-5, name="norm1")(x)
    h = layers.MultiHeadAttention(HEADS, D // HEADS, dropout=0.0, use_bias=False, name="attn")(h, h)
    x = x + layers.Dropout(0.1)(h)
    h = layers.LayerNormalization(epsilon=1e-5, name="norm2")(x)
    h = layers.Dense(FF, name="ff1")(h)
    h = keras.activations.gelu(h, approximate=False)
    h = layers.Dense(D, name="ff2")(h)
    x = x + layers.Dropout(0.1)(h)
    x = layers.LayerNormalization(epsilon=1e-5, name="norm3")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="head")(x))


def make_optimizer():
    steps = EPOCHS * -(-N_TRAIN // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=steps)
    return keras.optimizers.AdamW(schedule, weight_decay=0.02, beta_1=0.9, beta_2=0.98, epsilon=1e-12)


def main():
    keras.utils.set_random_seed(5)
    x_train, y_train, x_test, y_test = make_data()
    model = make_model()
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=make_optimizer(), loss=cross_entropy)
    history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    for epoch, loss in enumerate(history.history["loss"]):
        print(f"epoch {epoch + 1:2d}  loss {loss:.4f}")
    logits = model.predict(x_test, batch_size=300, verbose=0)
    print(f"test loss {float(cross_entropy(y_test, logits)):.4f}  "
          f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")


if __name__ == "__main__":
    main()
