import numpy as np
import tensorflow as tf
from tensorflow import keras

BATCH = 48
EPOCHS = 12
L2 = 5e-4


def make_data():
    rng = np.random.default_rng(99)
    centers = rng.normal(size=(6, 2, 10)) * 1.3
    y = rng.integers(0, 6, size=1500)
    side = rng.integers(0, 2, size=1500)
    x = centers[y, side] + rng.normal(size=(1500, 10))
    x, y = x.astype("float32"), y.astype("int32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


def block(h, units):
    h = keras.layers.Dense(units, use_bias=False, kernel_initializer="he_normal")(h)
    h = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(h)
    h = keras.layers.Activation("relu")(h)
    return keras.layers.Dropout(0.2)(h)


def build_model():
    inp = keras.Input((10,))
    h = block(inp, 64)
    h = block(h, 32)
    out = keras.layers.Dense(6, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    return keras.Model(inp, out)


def make_step(model, optimizer):
    hidden_kernels = [l.kernel for l in model.layers if isinstance(l, keras.layers.Dense)][:-1]

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            logits = model(xb, training=True)
            ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=logits)
            penalty = tf.add_n([tf.reduce_sum(tf.square(k)) for k in hidden_kernels])
            loss = tf.reduce_mean(ce) + L2 * penalty
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(4)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    lr = keras.optimizers.schedules.ExponentialDecay(0.003, decay_steps=50, decay_rate=0.8, staircase=False)
    optimizer = keras.optimizers.RMSprop(learning_rate=lr, rho=0.9, momentum=0.0, epsilon=1e-7)
    step = make_step(model, optimizer)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(xtr))
        total = 0.0
        for start in range(0, len(xtr), BATCH):
            idx = order[start:start + BATCH]
            total += float(step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))) * len(idx)
        print("epoch", epoch + 1, "loss", round(total / len(xtr), 4))
    logits = model(xte, training=False).numpy()
    ce = np.mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yte, logits=logits).numpy())
    print("test ce %.4f acc %.4f" % (ce, np.mean(logits.argmax(1) == yte)))


if __name__ == "__main__":
    main()
