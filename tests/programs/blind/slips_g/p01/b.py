"""Activity recognition from wearable sensors: attention written by hand, GradientTape loop."""
import keras
import numpy as np
import tensorflow as tf

N_TRAIN, N_TEST, T, CH, K = 960, 300, 24, 6, 4
BATCH, EPOCHS, LR, WARM = 48, 9, 3e-3, 40
DIM, HEADS, FFN, L2 = 24, 3, 48, 1e-4


def make_data():
    rng = np.random.RandomState(55)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, K, n)
    t = np.arange(T)
    mix = rng.randn(K, 3, CH)
    freq = np.array([0.3, 0.45, 0.7, 1.0])
    x = np.empty((n, T, CH))
    for i in range(n):
        k = y[i]
        ph = rng.uniform(0, 6.28)
        w = freq[k] * rng.uniform(0.8, 1.2)
        base = np.stack([np.sin(w * t + ph), np.cos(2 * w * t + ph), np.sign(np.sin(w * t + ph))], axis=1)
        x[i] = base @ (0.5 * mix[k] + 0.5 * mix.mean(0)) * 0.6 + 0.9 * rng.randn(T, CH)
    x = x.astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos, i = np.arange(T)[:, None], np.arange(DIM // 2)[None, :]
    ang = pos / 100.0 ** (2 * i / DIM)
    return np.concatenate([np.sin(ang), np.cos(ang)], axis=1).astype("float32")


glorot = keras.initializers.GlorotUniform(seed=1)


def dense(units, **kw):
    return keras.layers.Dense(units, kernel_initializer=glorot, bias_initializer="zeros", **kw)


class SelfAttention(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (dense(DIM, use_bias=False) for _ in range(4))

    def split(self, x):
        return tf.transpose(tf.reshape(x, (-1, T, HEADS, DIM // HEADS)), (0, 2, 1, 3))

    def call(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        att = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / (DIM // HEADS) ** 0.5, axis=-1)
        out = tf.reshape(tf.transpose(tf.matmul(att, v), (0, 2, 1, 3)), (-1, T, DIM))
        return self.o(out)


class Encoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.inp = dense(DIM)
        self.pos = tf.constant(positions()[None])
        self.norm1 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.att = SelfAttention()
        self.norm2 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.ff1, self.ff2 = dense(FFN), dense(DIM)
        self.drop1, self.drop2 = keras.layers.Dropout(0.1), keras.layers.Dropout(0.1)
        self.out = dense(K)

    def call(self, x, training=False):
        x = self.inp(x) + self.pos
        x = x + self.drop1(self.att(self.norm1(x)), training=training)
        h = self.ff2(tf.nn.gelu(self.ff1(self.norm2(x)), approximate=False))
        x = x + self.drop2(h, training=training)
        return self.out(tf.reduce_mean(x, axis=1))


def make_optimizer():
    return keras.optimizers.Adam(LR / WARM, beta_1=0.9, beta_2=0.98, epsilon=1e-7)


def make_train_step(model, opt):
    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            z = model(xb, training=True)
            ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=z))
            penalty = L2 * (tf.reduce_sum(tf.square(model.ff1.kernel)) + tf.reduce_sum(tf.square(model.ff2.kernel)))
            loss = ce + penalty
        opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    return train_step


def rate(step):
    return LR * min((step + 1) / WARM, (WARM / (step + 1)) ** 0.5)


def main():
    keras.utils.set_random_seed(1)
    x, y, x_te, y_te = make_data()
    model = Encoder()
    model(x[:2])
    opt = make_optimizer()
    opt.build(model.trainable_variables)
    train_step = make_train_step(model, opt)
    rng = np.random.RandomState(1)
    step = 0
    for epoch in range(EPOCHS):
        perm = rng.permutation(N_TRAIN)
        total = 0.0
        for i in range(0, N_TRAIN, BATCH):
            idx = perm[i:i + BATCH]
            opt.learning_rate.assign(rate(step))
            total += float(train_step(tf.constant(x[idx]), tf.constant(y[idx]))) * len(idx)
            step += 1
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f}")
    z = model(x_te, training=False).numpy()
    print(f"test accuracy {(z.argmax(1) == y_te).mean():.4f}")


if __name__ == "__main__":
    main()
