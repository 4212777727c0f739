"""PINN for the one-dimensional heat equation, Keras layers inside nested gradient tapes."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(17)

KAPPA, STEPS = 0.15, 500
PI = np.float32(np.pi)

rng = np.random.default_rng(99)
inner = rng.random((200, 2)).astype("float32")
start = np.stack([rng.random(60), np.zeros(60)], 1).astype("float32")
walls = np.stack([np.repeat([0.0, 1.0], 30), rng.random(60)], 1).astype("float32")
u_start = np.sin(PI * start[:, :1])

net = keras.Sequential([keras.Input((2,))])
for _ in range(3):
    net.add(keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_normal", bias_initializer="zeros"))
net.add(keras.layers.Dense(1, kernel_initializer="glorot_normal", bias_initializer="zeros"))

rate = keras.optimizers.schedules.ExponentialDecay(2e-2, decay_steps=300, decay_rate=0.3, staircase=False)
opt = keras.optimizers.Adamax(learning_rate=rate, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(net.trainable_variables)

x_in, t_in = tf.constant(inner[:, :1]), tf.constant(inner[:, 1:])


def pde_residual():
    with tf.GradientTape() as second:
        second.watch(x_in)
        with tf.GradientTape(persistent=True) as first:
            first.watch(x_in)
            first.watch(t_in)
            u = net(tf.concat([x_in, t_in], axis=1), training=True)
        u_x = first.gradient(u, x_in)
        u_t = first.gradient(u, t_in)
    return u_t - KAPPA * second.gradient(u_x, x_in)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        pde = tf.reduce_mean(tf.square(pde_residual()))
        ini = tf.reduce_mean(tf.square(net(start, training=True) - u_start))
        wall = tf.reduce_mean(tf.square(net(walls, training=True)))
        loss = 1.0 * pde + 10.0 * ini + 5.0 * wall
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss, pde, ini, wall


for k in range(STEPS):
    parts = train_step()
    if k % 100 == 99:
        print("step {}: loss {:.5f} (pde {:.5f}, start {:.5f}, walls {:.5f})".format(k + 1, *[float(p) for p in parts]))

g = np.linspace(0, 1, 41, dtype="float32")
gx, gt = (m.reshape(-1) for m in np.meshgrid(g, g, indexing="ij"))
u = net(np.stack([gx, gt], 1), training=False).numpy()[:, 0]
ref = np.exp(-KAPPA * PI**2 * gt) * np.sin(PI * gx)
print(f"relative error {np.linalg.norm(u - ref) / np.linalg.norm(ref):.4f}")
