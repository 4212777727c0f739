"""Physics-informed network for a reaction-diffusion problem (TensorFlow, nested tapes)."""
import keras
import numpy as np
import tensorflow as tf

ALPHA, K = 0.08, 0.5
EPOCHS, BATCH = 40, 128
W_PDE, W_IC, W_BC = 1.0, 10.0, 5.0


def points():
    rng = np.random.default_rng(21)
    inner = rng.random((1000, 2)).astype(np.float32)              # (x, t)
    x0 = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    tb = rng.random((64, 1)).astype(np.float32)
    side = np.repeat([0.0, 1.0], 32).astype(np.float32)[:, None]
    return inner, x0, np.concatenate([side, tb], axis=1)


def exact(x, t):
    return np.exp(-(ALPHA * np.pi ** 2 + K) * t) * np.sin(np.pi * x)


keras.utils.set_random_seed(100)
inner, x0, walls = points()
net = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(1, kernel_initializer="glorot_uniform"),
])
schedule = keras.optimizers.schedules.ExponentialDecay(6e-3, decay_steps=80, decay_rate=0.6, staircase=True)
opt = keras.optimizers.Adam(learning_rate=schedule, beta_1=0.9, beta_2=0.99, epsilon=1e-12)

ic_in = tf.constant(np.concatenate([x0, np.zeros_like(x0)], axis=1))
ic_out = tf.constant(np.sin(np.pi * x0).astype(np.float32))
bc_in = tf.constant(walls)


def residual(xt):
    x, t = xt[:, 0:1], xt[:, 1:2]
    with tf.GradientTape() as second:
        second.watch(x)
        with tf.GradientTape(persistent=True) as first:
            first.watch([x, t])
            u = net(tf.concat([x, t], axis=1), training=True)
        u_x = first.gradient(u, x)
        u_t = first.gradient(u, t)
    u_xx = second.gradient(u_x, x)
    return u_t - ALPHA * u_xx + K * u


@tf.function(reduce_retracing=True)
def train_step(xt):
    with tf.GradientTape() as tape:
        l_pde = tf.reduce_mean(tf.square(residual(xt)))
        l_ic = tf.reduce_mean(tf.square(net(ic_in, training=True) - ic_out))
        l_bc = tf.reduce_mean(tf.square(net(bc_in, training=True)))
        loss = W_PDE * l_pde + W_IC * l_ic + W_BC * l_bc
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices(inner)
dataset = dataset.shuffle(len(inner), reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)
for epoch in range(EPOCHS):
    for xt in dataset:
        loss = train_step(xt)
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss of last batch %.5f" % float(loss))

gx, gt = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
grid = np.stack([gx.ravel(), gt.ravel()], axis=1).astype(np.float32)
u = net(grid, training=False).numpy().ravel()
ref = exact(grid[:, 0], grid[:, 1])
print("relative L2 error %.4f" % (np.linalg.norm(u - ref) / np.linalg.norm(ref)))
