"""Which sign goes with the loudest step?  Small transformer block on padded sequences, Keras."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers, ops

SEED = 5
T, F, D, HEADS = 18, 6, 32, 4


def make_data(n=2000, seed=21):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, T, F)).astype(np.float32)
    length = rng.integers(8, T + 1, size=n)
    mask = (np.arange(T)[None, :] < length[:, None]).astype(np.float32)
    loud = np.where(mask > 0, x[:, :, 0], -np.inf).argmax(axis=1)
    x[np.arange(n), loud, 0] += 1.5
    y = (x[np.arange(n), loud, 1] > 0).astype(np.float32)
    x *= mask[:, :, None]
    return x, mask, y


def positions():
    pos = np.arange(T)[:, None]
    i = np.arange(D // 2)[None, :]
    ang = pos / np.power(10000.0, 2 * i / D)
    pe = np.zeros((T, D), dtype=np.float32)
    pe[:, 0::2] = np.sin(ang)
    pe[:, 1::2] = np.cos(ang)
    return pe


def build():
    xin = keras.Input((T, F), name="x")
    min_ = keras.Input((T,), name="mask")
    h = layers.Dense(D, kernel_initializer="glorot_uniform", bias_initializer="zeros")(xin)
    h = h + positions()[None]
    att_mask = ops.expand_dims(min_, 1) > 0.5
    att = layers.MultiHeadAttention(HEADS, D // HEADS, use_bias=False, dropout=0.0,
                                    kernel_initializer="glorot_uniform")(h, h, attention_mask=att_mask)
    h = layers.LayerNormalization(epsilon=1e-5)(h + att)
    f = layers.Dense(64, activation="relu")(h)
    f = layers.Dense(D)(f)
    h = layers.LayerNormalization(epsilon=1e-5)(h + f)
    m = ops.expand_dims(min_, -1)
    pooled = ops.sum(h * m, axis=1) / ops.sum(m, axis=1)
    out = layers.Dense(1)(pooled)
    return keras.Model([xin, min_], out)


def main():
    keras.utils.set_random_seed(SEED)
    x, mask, y = make_data()
    y = y[:, None]
    n = 1600
    model = build()
    opt = keras.optimizers.AdamW(learning_rate=2e-3, weight_decay=0.02, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    opt.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=opt, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    hist = model.fit([x[:n], mask[:n]], y[:n], batch_size=64, epochs=14, shuffle=True, verbose=0)
    for e, l in enumerate(hist.history["loss"]):
        print(f"epoch {e + 1:2d} loss {l:.4f}")
    test_loss = model.evaluate([x[n:], mask[n:]], y[n:], batch_size=64, verbose=0)
    pred = model.predict([x[n:], mask[n:]], batch_size=64, verbose=0)
    print(f"test loss {test_loss:.4f} accuracy {np.mean((pred > 0) == (y[n:] > 0.5)):.4f}")


if __name__ == "__main__":
    main()
