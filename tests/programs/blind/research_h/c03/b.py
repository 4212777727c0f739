"""Denoising diffusion for the two-moons data in TensorFlow; custom loop and EMA of the weights."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import make_moons

keras.utils.set_random_seed(11)

STEPS = 50
EPOCHS = 50
BATCH = 128
EMA = 0.98

pts = make_moons(1024, noise=0.05, random_state=0)[0]
pts = ((pts - pts.mean(0)) / pts.std(0)).astype(np.float32)

betas = np.linspace(1e-3, 0.15, STEPS)
alphas = 1.0 - betas
abar = np.cumprod(alphas)
signal = tf.constant(np.sqrt(abar), tf.float32)
sigma = tf.constant(np.sqrt(1 - abar), tf.float32)
freqs = tf.constant(0.5 ** np.arange(8), tf.float32)


def build_denoiser(width=96):
    x = keras.Input((2,))
    emb = keras.Input((16,))
    h = keras.layers.Concatenate()([x, emb])
    h = keras.layers.Dense(width, activation="silu")(h)
    h = keras.layers.Dense(width, activation="silu")(h)
    h = keras.layers.Add()([h, keras.layers.Dense(width, activation="silu")(h)])
    return keras.Model([x, emb], keras.layers.Dense(2)(h))


def time_features(t):
    ang = tf.cast(t, tf.float32)[:, None] * freqs[None, :]
    return tf.concat([tf.sin(ang), tf.cos(ang)], axis=1)


net = build_denoiser()
ema_net = build_denoiser()
ema_net.set_weights(net.get_weights())

ds = tf.data.Dataset.from_tensor_slices(pts).shuffle(1024).batch(BATCH)
total_steps = EPOCHS * int(np.ceil(len(pts) / BATCH))
schedule = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=total_steps, alpha=0.0)
opt = keras.optimizers.AdamW(schedule, weight_decay=1e-2, beta_1=0.9, beta_2=0.99, epsilon=1e-12)
opt.build(net.trainable_variables)


def corrupt(x, t, noise):
    return tf.gather(signal, t)[:, None] * x + tf.gather(sigma, t)[:, None] * noise


@tf.function
def step(x):
    n = tf.shape(x)[0]
    t = tf.random.uniform((n,), 0, STEPS, dtype=tf.int32)
    noise = tf.random.normal(tf.shape(x))
    noisy = corrupt(x, t, noise)
    with tf.GradientTape() as tape:
        pred = net([noisy, time_features(t)], training=True)
        loss = tf.reduce_mean(tf.square(pred - noise))
    g = tape.gradient(loss, net.trainable_variables)
    opt.apply(g, net.trainable_variables)
    for avg, w in zip(ema_net.trainable_variables, net.trainable_variables):
        avg.assign(EMA * avg + (1.0 - EMA) * w)
    return loss


for epoch in range(EPOCHS):
    running = 0.0
    for x in ds:
        running += float(step(x)) * len(x)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {running / len(pts):.4f}")

r = np.random.RandomState(123)
t_eval = r.randint(0, STEPS, 1024)
n_eval = r.randn(1024, 2).astype(np.float32)
noisy = corrupt(pts, t_eval, n_eval)
pred = ema_net([noisy, time_features(t_eval)], training=False)
err = float(tf.reduce_mean(tf.square(pred - n_eval)))

s = r.randn(400, 2).astype(np.float32)
for k in range(STEPS - 1, -1, -1):
    e = ema_net([tf.constant(s), time_features(np.full(400, k))], training=False).numpy()
    s = (s - betas[k] / np.sqrt(1 - abar[k]) * e) / np.sqrt(alphas[k])
    if k > 0:
        s = s + np.sqrt(betas[k]) * r.randn(400, 2)
    s = s.astype(np.float32)
near = np.linalg.norm(s[:, None] - pts[None], axis=2).min(1).mean()
print(f"ema denoising mse {err:.4f}   sample-to-data distance {near:.4f}")
