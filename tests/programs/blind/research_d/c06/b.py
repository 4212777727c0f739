"""Physics-informed network for a damped oscillator with an unknown stiffness. TensorFlow, nested tapes."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, initializers

SEED = 29
STEPS, N_COL, T_END, DAMP, K_TRUE, LR = 500, 64, 3.0, 0.6, 4.0, 0.01
W_PDE, W_INIT, W_DATA = 0.1, 1.0, 2.0

# noisy measurements of the exact solution: u'' + DAMP u' + K u = 0, u(0) = 1, u'(0) = 0
omega = np.sqrt(K_TRUE - DAMP ** 2 / 4)


def exact(t):
    return np.exp(-DAMP * t / 2) * (np.cos(omega * t) + DAMP / (2 * omega) * np.sin(omega * t))


rng = np.random.default_rng(12)
t_obs = np.sort(rng.uniform(0, T_END, (25, 1)))
u_obs = (exact(t_obs) + 0.02 * rng.standard_normal((25, 1))).astype("float32")
t_obs = t_obs.astype("float32")
t_obs, u_obs = tf.constant(t_obs), tf.constant(u_obs)

keras.utils.set_random_seed(SEED)


def dense(fan_in, units, activation=None):
    bound = 1.0 / np.sqrt(fan_in)
    return layers.Dense(
        units, activation=activation,
        kernel_initializer=initializers.RandomUniform(-bound, bound),
        bias_initializer=initializers.RandomUniform(-bound, bound))


class PINN(keras.Model):
    def __init__(self, width=32):
        super().__init__()
        self.net = keras.Sequential([
            keras.Input((1,)), dense(1, width, "tanh"), dense(width, width, "tanh"), dense(width, 1)])
        self.log_k = self.add_weight(shape=(), initializer=initializers.Constant(0.5), name="log_k")

    def call(self, t):
        return self.net(2.0 * t / T_END - 1.0)


model = PINN()
model.build((None, 1))
weights = model.trainable_variables
# the rate of step s (from 0) is the first value while s <= boundary
schedule = keras.optimizers.schedules.PiecewiseConstantDecay([299, 399], [LR, LR * 0.4, LR * 0.16])
opt = keras.optimizers.Adamax(learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(weights)


def losses(t):
    with tf.GradientTape() as outer:
        outer.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            u = model(t)
        du = inner.gradient(u, t)
    ddu = outer.gradient(du, t)
    pde = tf.reduce_mean(tf.square(ddu + DAMP * du + tf.exp(model.log_k) * u))

    t0 = tf.zeros((1, 1))
    with tf.GradientTape() as tape:
        tape.watch(t0)
        u0 = model(t0)
    du0 = tape.gradient(u0, t0)
    init = tf.reduce_mean(tf.square(u0 - 1.0)) + tf.reduce_mean(tf.square(du0))

    data = tf.reduce_mean(tf.square(model(t_obs) - u_obs))
    return pde, init, data


@tf.function
def train_step():
    t = T_END * tf.random.uniform((N_COL, 1))
    with tf.GradientTape() as tape:
        pde, init, data = losses(t)
        loss = W_PDE * pde + W_INIT * init + W_DATA * data
    grads = tape.gradient(loss, weights)
    opt.apply_gradients(zip(grads, weights))
    return loss, pde, init, data


# ---- training
for step in range(STEPS):
    parts = tuple(float(v) for v in train_step())
    if step == 0 or (step + 1) % 100 == 0:
        print(f"step {step + 1} loss %.5f pde %.5f init %.5f data %.5f" % parts)

grid = np.linspace(0, T_END, 200)[:, None]
u = model(tf.constant(grid.astype("float32"))).numpy()
print("rms error %.4f stiffness %.3f" % (np.sqrt(np.mean((u - exact(grid)) ** 2)), float(tf.exp(model.log_k))))
