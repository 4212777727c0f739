import keras
import numpy as np
import tensorflow as tf

T, F, H, C = 24, 3, 20, 4


def make_data(n, rng):
    x = rng.normal(scale=0.6, size=(n, T, F))
    label = rng.integers(0, C, size=n)
    where = rng.integers(0, 4, size=n)
    x[np.arange(n), where, 0] += np.where(label % 2 == 0, 3.0, -3.0)
    x[np.arange(n), where, 1] += np.where(label // 2 == 0, 3.0, -3.0)
    return x.astype(np.float32), label.astype(np.int64)


def glorot(rng, fan_in, fan_out):
    b = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-b, b, size=(fan_in, fan_out)).astype(np.float32)


def initial_weights(seed=77):
    """Starting values for the recurrent layer and the output layer."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(3 * H, H)))
    bias = np.zeros((2, 3 * H), np.float32)
    bias[0, :H] = 2.5
    return {
        "kernel": glorot(rng, F, 3 * H),
        "recurrent": (q * np.sign(np.diag(r))).T.astype(np.float32),
        "bias": bias,
        "w_out": glorot(rng, H, C),
        "b_out": np.zeros(C, np.float32),
    }


rng = np.random.default_rng(6)
x_train, y_train = make_data(960, rng)
x_test, y_test = make_data(400, rng)

w = initial_weights()
gru = keras.layers.GRU(H, reset_after=True)
out = keras.layers.Dense(C)
model = keras.Sequential([keras.Input((T, F)), gru, out])
gru.set_weights([w["kernel"], w["recurrent"], w["bias"]])
out.set_weights([w["w_out"], w["b_out"]])

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = keras.optimizers.SGD(learning_rate=0.06, momentum=0.9)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


shuffle = np.random.default_rng(100)
for epoch in range(14):
    order = shuffle.permutation(960)
    tot = 0.0
    for i in range(0, 960, 40):
        idx = order[i:i + 40]
        tot += float(step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    logits = model(x_test, training=False).numpy()
    print(epoch, "train", round(tot / 960, 4), "test", round(float(loss_fn(y_test, logits)), 4),
          "acc", round(float((logits.argmax(1) == y_test).mean()), 4))
