"""Card fraud with weighted rare cases: Keras layers trained with GradientTape."""
import numpy as np
import tensorflow as tf
import keras


N_FEAT = 16
FRAUD_WEIGHT, ALPHA = 8.0, 0.05
BATCH, EPOCHS = 100, 16
LR, MOMENTUM = 0.05, 0.9


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(4321)
    w = truth.randn(N_FEAT) * 0.5
    x = rng.randn(n, N_FEAT)
    z = -4.0 + x @ w + 1.2 * x[:, 0] * x[:, 1] + 0.8 * np.abs(x[:, 2])
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("int64")
    return x.astype("float32"), y


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


def report(y, p):
    p = np.clip(p.astype("float64"), 1e-7, 1 - 1e-7)
    ll = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    w = np.where(y == 1, FRAUD_WEIGHT, 1.0)
    flagged = p > 0.5
    print(f"test weighted logloss {(w * ll).sum() / w.sum():.4f}  auc {auc(y, p):.4f}"
          f"  recall {flagged[y == 1].mean():.4f}  precision {y[flagged].mean():.4f}")


x_tr, y_tr = make_data(3000, 90)
x_te, y_te = make_data(2000, 91)
w_tr = np.where(y_tr == 1, FRAUD_WEIGHT, 1.0).astype("float32")

keras.utils.set_random_seed(77)


def sk_uniform(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    return lambda: keras.initializers.RandomUniform(-bound, bound)


def dense(n_in, n_out, activation=None):
    init = sk_uniform(n_in, n_out)          # the same bound for kernel and bias
    return keras.layers.Dense(n_out, activation=activation,
                              kernel_initializer=init(), bias_initializer=init())


model = keras.Sequential([
    keras.Input((N_FEAT,)),
    dense(N_FEAT, 24, "relu"),
    dense(24, 12, "relu"),
    dense(12, 1),
])
kernels = [layer.kernel for layer in model.layers]
optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM, nesterov=False)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(x, y, w):
    with tf.GradientTape() as tape:
        z = model(x, training=True)[:, 0]
        ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)
        l2 = tf.add_n([tf.reduce_sum(k ** 2) for k in kernels])
        loss = tf.reduce_mean(w * ce) + 0.5 * ALPHA / BATCH * l2
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((x_tr, y_tr.astype("float32"), w_tr))
ds = ds.shuffle(len(x_tr), seed=77, reshuffle_each_iteration=True).batch(BATCH)

# training
for epoch in range(EPOCHS):
    total, seen = 0.0, 0
    for x, y, w in ds:
        total += float(train_step(x, y, w)) * len(x)
        seen += len(x)
    print(f"epoch {epoch + 1}: loss {total / seen:.4f}")

report(y_te, tf.sigmoid(model(x_te, training=False)[:, 0]).numpy())
