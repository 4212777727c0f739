"""PINN, heat equation, in TensorFlow: nested tapes and a hand-written Adam."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(4)

kappa = 0.15
n_steps = 500
sizes = [2, 32, 32, 1]

params = []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    std = np.sqrt(2.0 / (n_in + n_out))
    params.append(tf.Variable(tf.random.normal((n_in, n_out), stddev=std)))
    params.append(tf.Variable(tf.zeros((n_out,))))


def u_net(t, x):
    h = tf.concat([t, x], axis=1)
    for w, b in zip(params[0:-2:2], params[1:-2:2]):
        h = tf.tanh(h @ w + b)
    return h @ params[-2] + params[-1]


def sample():
    return (tf.random.uniform((96, 2)), tf.random.uniform((32, 1)), tf.random.uniform((32, 1)))


@tf.function
def gradients(interior, initial, edge):
    t, x = interior[:, :1], interior[:, 1:]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch([t, x])
                u = u_net(t, x)
            u_t, u_x = first.gradient(u, [t, x])
        u_xx = second.gradient(u_x, x)
        residual = tf.reduce_mean(tf.square(u_t - kappa * u_xx))
        start = tf.reduce_mean(tf.square(u_net(tf.zeros_like(initial), initial)
                                         - tf.sin(np.pi * initial)))
        left = u_net(edge, tf.zeros_like(edge))
        right = u_net(edge, tf.ones_like(edge))
        walls = tf.reduce_mean(tf.square(tf.concat([left, right], axis=0)))
        loss = residual + 10.0 * start + 5.0 * walls
    return outer.gradient(loss, params), residual, start, walls


class Adam:
    """Kingma & Ba: epsilon is added after the bias correction."""

    def __init__(self, variables, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        self.variables, self.lr = variables, lr
        self.b1, self.b2, self.eps = beta1, beta2, eps
        self.m = [np.zeros(v.shape, np.float32) for v in variables]
        self.v = [np.zeros(v.shape, np.float32) for v in variables]
        self.t = 0

    def step(self, grads):
        self.t += 1
        c1, c2 = 1 - self.b1 ** self.t, 1 - self.b2 ** self.t
        for i, (var, g) in enumerate(zip(self.variables, grads)):
            g = g.numpy()
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g * g
            var.assign_sub(self.lr * (self.m[i] / c1) / (np.sqrt(self.v[i] / c2) + self.eps))


adam = Adam(params, lr=1e-2)


def train_step(points):
    grads, *parts = gradients(*points)
    adam.step(grads)
    adam.lr *= 0.995
    return [float(p) for p in parts]


# ---- training
for k in range(n_steps):
    parts = train_step(sample())
    if (k + 1) % 100 == 0:
        print("step %d  pde %.5f  ic %.5f  bc %.5f" % (k + 1, *parts))

tt, xx = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41), indexing="ij")
truth = np.exp(-kappa * np.pi ** 2 * tt) * np.sin(np.pi * xx)
u = u_net(tf.constant(tt.reshape(-1, 1), tf.float32),
          tf.constant(xx.reshape(-1, 1), tf.float32)).numpy().reshape(tt.shape)
print("relative L2 error %.4f" % (np.linalg.norm(u - truth) / np.linalg.norm(truth)))
