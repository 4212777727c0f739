"""Physics-informed network for the heat equation u_t = k u_xx, TensorFlow."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(21)

K, STEPS, W_IC, W_BC = 0.15, 550, 5.0, 2.0
N_COL, N_IC, N_BC = 256, 64, 64

inp = keras.Input((2,))
h = inp
for _ in range(3):
    h = keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform",
                           bias_initializer="zeros")(h)
net = keras.Model(inp, keras.layers.Dense(1, kernel_initializer="glorot_uniform",
                                          bias_initializer="zeros")(h))

schedule = keras.optimizers.schedules.ExponentialDecay(4e-3, decay_steps=100, decay_rate=0.8, staircase=False)
optimizer = keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(net.trainable_variables)


def u(x, t):
    return net(tf.concat([x, t], axis=1), training=True)


def residual(x, t):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([x, t])
            out = u(x, t)
        u_x = inner.gradient(out, x)
        u_t = inner.gradient(out, t)
    u_xx = outer.gradient(u_x, x)
    return u_t - K * u_xx


def parts(x, t, x0, tb, side):
    pde = tf.reduce_mean(tf.square(residual(x, t)))
    ic = tf.reduce_mean(tf.square(u(x0, tf.zeros_like(x0)) - tf.sin(np.pi * x0)))
    bc = tf.reduce_mean(tf.square(u(side, tb)))
    return pde, ic, bc


@tf.function
def step():
    x = tf.random.uniform((N_COL, 1))
    t = tf.random.uniform((N_COL, 1))
    x0 = tf.random.uniform((N_IC, 1))
    tb = tf.random.uniform((N_BC, 1))
    side = tf.constant(np.repeat([[0.0], [1.0]], N_BC // 2, axis=0).astype(np.float32))
    with tf.GradientTape() as tape:
        pde, ic, bc = parts(x, t, x0, tb, side)
        loss = pde + W_IC * ic + W_BC * bc
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss, pde, ic, bc


for i in range(STEPS):
    vals = step()
    if (i + 1) % 50 == 0:
        print(f"step {i + 1:4d}  " + "  ".join(f"{n} {float(v):.3e}" for n, v in zip(("loss", "pde", "ic", "bc"), vals)))

gx, gt = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
grid = np.stack([gx.ravel(), gt.ravel()], axis=1).astype(np.float32)
exact = np.sin(np.pi * grid[:, 0]) * np.exp(-K * np.pi ** 2 * grid[:, 1])
pred = net(grid, training=False).numpy()[:, 0]
print("relative L2 error %.4f" % (np.linalg.norm(pred - exact) / np.linalg.norm(exact)))
