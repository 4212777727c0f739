"""Click-through model: deep & cross network, Keras layers trained with a GradientTape."""
import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

SIZES = (12, 8, 6)
N_TRAIN, N_TEST = 4000, 1000
BATCH, EPOCHS = 100, 6
EMB, HIDDEN = 16, 32


def make_data():
    rng = np.random.RandomState(2024)
    n = N_TRAIN + N_TEST
    cats = [rng.randint(0, s, n) for s in SIZES]
    num = rng.randn(n, 6).astype("float32")
    w = [rng.randn(s) * 0.6 for s in SIZES]
    cross = rng.randn(SIZES[0], SIZES[1]) * 1.2
    z = w[0][cats[0]] + w[1][cats[1]] + w[2][cats[2]] + cross[cats[0], cats[1]]
    z = z + num @ rng.randn(6) * 0.5 + 0.7 * num[:, 0] * num[:, 1] - 1.0
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("float32")
    # one-hot of each field and of the crossed pair (publisher x device)
    oh = [np.eye(s, dtype="float32")[c] for s, c in zip(SIZES, cats)]
    oh.append(np.eye(SIZES[0] * SIZES[1], dtype="float32")[cats[0] * SIZES[1] + cats[1]])
    sparse = np.concatenate(oh, axis=1)
    return (sparse[:N_TRAIN], num[:N_TRAIN], y[:N_TRAIN],
            sparse[N_TRAIN:], num[N_TRAIN:], y[N_TRAIN:])


class DCN(keras.Model):
    def __init__(self, n_num):
        super().__init__()
        d = EMB + n_num

        def dense(units, **kw):
            return keras.layers.Dense(units, kernel_initializer="glorot_uniform",
                                      bias_initializer="zeros", **kw)

        self.emb = dense(EMB, use_bias=False)
        self.cross1 = dense(d)
        self.cross2 = dense(d)
        self.deep = dense(HIDDEN, activation="relu")
        self.out = dense(1)

    def call(self, inputs):
        sparse, num = inputs
        x0 = tf.concat([self.emb(sparse), num], axis=1)
        x = x0 * self.cross1(x0) + x0
        x = x0 * self.cross2(x) + x
        h = self.deep(x0)
        return tf.squeeze(self.out(tf.concat([x, h], axis=1)), axis=1)


def log_loss(t, z):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=z))


def make_optimizer():
    return keras.optimizers.Adagrad(initial_accumulator_value=0.1, epsilon=1e-10)


def make_train_step(model, opt):
    @tf.function
    def train_step(s, v, t):
        with tf.GradientTape() as tape:
            loss = log_loss(t, model((s, v), training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    keras.utils.set_random_seed(5)
    s, v, y, s_te, v_te, y_te = make_data()
    model = DCN(v.shape[1])
    model((s[:2], v[:2]))
    opt = make_optimizer()
    opt.build(model.trainable_variables)
    step = make_train_step(model, opt)
    ds = tf.data.Dataset.from_tensor_slices((s, v, y))
    ds = ds.shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(EPOCHS):
        total = 0.0
        for bs, bv, bt in ds:
            total += float(step(bs, bv, bt)) * int(bt.shape[0])
        print(f"epoch {epoch + 1} logloss {total / N_TRAIN:.4f}")
    z = model((s_te, v_te), training=False)
    ll = float(log_loss(y_te, z))
    print(f"test logloss {ll:.4f} auc {roc_auc_score(y_te, z.numpy()):.4f}")


if __name__ == "__main__":
    main()
