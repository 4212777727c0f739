"""Quantile demand forecaster with several inputs, TensorFlow with a GradientTape."""
import keras
import numpy as np
import tensorflow as tf

HIST, HORIZON, STORES = 28, 7, 12
QUANTILES = (0.1, 0.5, 0.9)
BATCH, EPOCHS, LR = 75, 5, 4e-3


def make_data():
    rng = np.random.default_rng(77)
    days = 420
    t = np.arange(days)
    series, promo = [], []
    for s in range(STORES):
        base = rng.uniform(2.0, 5.0)
        week = rng.normal(0, 0.6, 7)
        p = (rng.random(days) < 0.15).astype(float)
        noise = np.zeros(days)
        for i in range(1, days):
            noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.25 + 0.25 * p[i])
        series.append(base + week[t % 7] + 0.5 * np.sin(2 * np.pi * t / 90 + s) + 1.2 * p + noise)
        promo.append(p)
    series, promo = np.array(series), np.array(promo)
    mu, sd = series.mean(), series.std()
    z = (series - mu) / sd
    hist, future, store, target, start = [], [], [], [], []
    for s in range(STORES):
        for d in range(HIST, days - HORIZON, 1):
            w = slice(d - HIST, d)
            f = slice(d, d + HORIZON)
            hist.append(np.stack([z[s, w], promo[s, w], (t[w] % 7) / 6.0], axis=1))
            future.append(np.stack([promo[s, f], (t[f] % 7) / 6.0], axis=1))
            store.append(np.eye(STORES)[s])
            target.append(z[s, f])
            start.append(d)
    start = np.array(start)
    out = [np.array(a, dtype="float32") for a in (hist, store, future, target)]
    past, late = np.where(start < 330)[0], np.where(start >= 340)[0]
    past = rng.permutation(past)[:3300]
    return [a[past] for a in out], [a[late] for a in out]


def build(units=24):
    L = keras.layers
    hist = keras.Input((HIST, 3))
    store = keras.Input((STORES,))
    future = keras.Input((HORIZON, 2))
    h = L.GRU(units, activation="tanh", recurrent_activation="sigmoid",
              kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
              bias_initializer="zeros", reset_after=True, name="gru")(hist)
    s = L.Dense(6, activation="tanh", name="store")(store)
    f = L.Dense(16, activation="relu", name="future")(L.Flatten()(future))
    x = L.Concatenate()([h, s, f])
    x = L.Dense(40, activation="relu", name="mix")(x)
    x = L.Dense(HORIZON * len(QUANTILES), name="head")(x)
    return keras.Model([hist, store, future], L.Reshape((HORIZON, len(QUANTILES)))(x))


def pinball(target, pred):
    q = tf.constant(QUANTILES, tf.float32)
    err = target[:, :, None] - pred
    return tf.reduce_mean(tf.maximum(q * err, (q - 1.0) * err))


def make_optimizer(total_steps):
    schedule = keras.optimizers.schedules.CosineDecay(LR, decay_steps=total_steps, alpha=0.0)
    return keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def make_step(model, optimizer):
    @tf.function
    def step(hist, store, future, y):
        with tf.GradientTape() as tape:
            loss = pinball(y, model([hist, store, future], training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(808)
    train, test = make_data()
    n = len(train[0])
    ds = tf.data.Dataset.from_tensor_slices(tuple(train))
    ds = ds.shuffle(n, reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)
    model = build()
    optimizer = make_optimizer(EPOCHS * len(ds))
    step = make_step(model, optimizer)
    print(n, "windows,", model.count_params(), "weights")
    for epoch in range(EPOCHS):
        total = 0.0
        for hist, store, future, y in ds:
            total += float(step(hist, store, future, y)) * len(y)
        pred = model(test[:3], training=False).numpy()
        vl = float(pinball(test[3], pred))
        cover = np.mean(test[3] < pred[..., 2]) - np.mean(test[3] < pred[..., 0])
        print(f"epoch {epoch + 1} train {total / n:.4f} test {vl:.4f} coverage80 {cover:.3f}")


if __name__ == "__main__":
    main()
