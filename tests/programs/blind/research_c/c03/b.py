"""Fisher-KPP by a physics-informed network: nested gradient tapes."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(77)


def exact(x, t):
    return 1.0 / (1.0 + np.exp((x - 5.0 * t / np.sqrt(6.0)) / np.sqrt(6.0))) ** 2


rng = np.random.default_rng(2024)
X_MAX, T_MAX = 4.0, 1.0
interior = np.column_stack([rng.uniform(-X_MAX, X_MAX, 1600), rng.uniform(0, T_MAX, 1600)]).astype(np.float32)
start = np.column_stack([rng.uniform(-X_MAX, X_MAX, 80), np.zeros(80)]).astype(np.float32)
side = np.column_stack([np.where(np.arange(60) % 2 == 0, -X_MAX, X_MAX), rng.uniform(0, T_MAX, 60)]).astype(np.float32)
u_start = exact(start[:, :1].astype(np.float64), start[:, 1:].astype(np.float64)).astype(np.float32)
u_side = exact(side[:, :1].astype(np.float64), side[:, 1:].astype(np.float64)).astype(np.float32)
gx, gt = np.meshgrid(np.linspace(-X_MAX, X_MAX, 41), np.linspace(0, T_MAX, 11))
grid = np.column_stack([gx.ravel(), gt.ravel()])
u_grid = exact(grid[:, :1], grid[:, 1:])

net = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(20, activation="tanh"),
    keras.layers.Dense(20, activation="tanh"),
    keras.layers.Dense(1),
])

BATCH, EPOCHS = 160, 40
steps_per_epoch = len(interior) // BATCH
rate = keras.optimizers.schedules.ExponentialDecay(5e-3, decay_steps=steps_per_epoch, decay_rate=0.96, staircase=True)
opt = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def pde_residual(points):
    x, t = points[:, 0:1], points[:, 1:2]
    with tf.GradientTape() as second:
        second.watch(x)
        with tf.GradientTape() as first:
            first.watch([x, t])
            u = net(tf.concat([x, t], axis=1), training=True)
        u_x, u_t = first.gradient(u, [x, t])
    u_xx = second.gradient(u_x, x)
    return u_t - u_xx - u * (1.0 - u)


@tf.function
def train_step(points):
    with tf.GradientTape() as tape:
        pde = tf.reduce_mean(tf.square(pde_residual(points)))
        ini = tf.reduce_mean(tf.square(net(start, training=True) - u_start))
        bnd = tf.reduce_mean(tf.square(net(side, training=True) - u_side))
        loss = pde + 10.0 * ini + 5.0 * bnd
    variables = net.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices(interior).shuffle(len(interior), seed=4).batch(BATCH)
for epoch in range(1, EPOCHS + 1):
    for pts in ds:
        loss = train_step(pts)
    if epoch % 10 == 0:
        pred = net(grid.astype(np.float32)).numpy()
        print("epoch", epoch, "loss %.5f" % float(loss), "rmse %.5f" % np.sqrt(np.mean((pred - u_grid) ** 2)))
