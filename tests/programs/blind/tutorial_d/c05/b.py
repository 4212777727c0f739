"""Three-stage transfer learning on gratings with explicit gradient tapes."""
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(64)
order = np.random.default_rng(640)
L = tf.keras.layers


def stripes(n, classes, first_angle, seed):
    """Noisy 12x12 gratings; the class is the angle of the stripes."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:12, 0:12]
    y = rng.integers(0, classes, n)
    x = np.empty((n, 12, 12, 1), dtype="float32")
    for i in range(n):
        angle = first_angle + np.pi * y[i] / classes + rng.normal(0, 0.12)
        phase = rng.uniform(0, 2 * np.pi)
        wave = np.sin(1.5 * (np.cos(angle) * xx + np.sin(angle) * yy) + phase)
        x[i, :, :, 0] = wave + rng.normal(0, 1.1, (12, 12))
    return x, y.astype("int32")


class Base(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.c1 = L.Conv2D(12, 3, use_bias=False)
        self.n1 = L.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.c2 = L.Conv2D(24, 3, use_bias=False)
        self.n2 = L.BatchNormalization(momentum=0.9, epsilon=1e-3)

    def call(self, x, training=False):
        x = tf.nn.relu(self.n1(self.c1(x), training=training))
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(self.n2(self.c2(x), training=training))
        return tf.reduce_mean(x, axis=[1, 2])


def run(base, head, variables, lr, x, y, batch, epochs, base_training):
    opt = tf.keras.optimizers.Adam(lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            logits = head(base(xb, training=base_training))
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=logits))
        opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    for epoch in range(epochs):
        perm, losses = order.permutation(len(x)), []
        for k in range(0, len(x), batch):
            idx = perm[k : k + batch]
            losses.append(float(step(tf.constant(x[idx]), tf.constant(y[idx]))))
        print(f"  epoch {epoch + 1}: {np.mean(losses):.4f}")


def report(name, base, head, x, y):
    logits = head(base(x, training=False))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    acc = np.mean(np.argmax(logits.numpy(), 1) == y)
    print(f"{name}: loss {float(loss):.4f}, accuracy {acc:.4f}")


x_src, y_src = stripes(960, 6, 0.0, seed=21)
x_tgt, y_tgt = stripes(640, 4, 0.3, seed=22)
x_new, y_new, x_test, y_test = x_tgt[:240], y_tgt[:240], x_tgt[240:], y_tgt[240:]

base = Base()
features = base(x_src[:1])
old_head, new_head = L.Dense(6), L.Dense(4)
old_head(features), new_head(features)

print("source task")
run(base, old_head, base.trainable_variables + old_head.trainable_variables, 3e-3, x_src, y_src, 48, 8, True)
print("new head")
run(base, new_head, new_head.trainable_variables, 1e-2, x_new, y_new, 24, 12, False)
report("head only", base, new_head, x_test, y_test)
print("fine-tuning")  # kernels only: scale, shift and statistics of the normalisation stay as they are
kernels = base.c1.trainable_variables + base.c2.trainable_variables
run(base, new_head, kernels + new_head.trainable_variables, 5e-4, x_new, y_new, 24, 8, False)
report("fine-tuned", base, new_head, x_test, y_test)
