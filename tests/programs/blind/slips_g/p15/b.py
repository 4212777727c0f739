"""Fraud detection with weights against the imbalance: TensorFlow loop with a GradientTape."""
import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import average_precision_score, roc_auc_score

N_TRAIN, N_TEST, D = 3030, 1000, 14
BATCH, EPOCHS, LR, ALPHA = 100, 8, 2e-3, 0.05
FRAUD_WEIGHT = 6.0


def make_data():
    rng = np.random.RandomState(4711)
    n = N_TRAIN + N_TEST
    x = rng.randn(n, D)
    x[:, 0] = np.log1p(rng.gamma(2.0, 1.0, n)) * 2 - 2
    z = 1.4 * x[:, 0] + 1.1 * x[:, 1] * x[:, 2] - 1.2 * np.maximum(x[:, 3], 0) + 0.9 * (np.abs(x[:, 4]) > 1.2)
    z = z + 0.8 * x[:, 5] + 0.4 * rng.randn(n)
    y = (z > np.quantile(z, 0.92)).astype("int64")
    x = x.astype("float32")
    w = np.where(y == 1, FRAUD_WEIGHT, 1.0).astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], w[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def report(p, y):
    print(f"test auc {roc_auc_score(y, p):.4f} average precision {average_precision_score(y, p):.4f}")


def make_net():
    net = keras.Sequential([keras.Input((D,))])
    fan_in = D
    for units, act in ((24, "relu"), (12, "relu"), (1, None)):
        bound = float(np.sqrt(6.0 / (fan_in + units)))
        # biases come from the same uniform law as the kernels
        net.add(keras.layers.Dense(units, activation=act,
                                   kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
                                   bias_initializer=keras.initializers.RandomUniform(-bound, bound)))
        fan_in = units
    return net


def make_optimizer():
    return keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


def make_train_step(net, opt):
    @tf.function(reduce_retracing=True)
    def train_step(xb, yb, wb):
        with tf.GradientTape() as tape:
            z = tf.squeeze(net(xb, training=True), axis=1)
            ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=yb, logits=z)
            mass = tf.reduce_sum(wb)
            squares = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in net.layers])
            # weighted mean; the penalty is divided by the sum of weights
            loss = tf.reduce_mean(wb * ce) + 0.5 * ALPHA * squares / mass
        grads = tape.gradient(loss, net.trainable_variables)
        opt.apply_gradients(zip(grads, net.trainable_variables))
        return loss

    return train_step


def main():
    keras.utils.set_random_seed(7)
    x, y, w, x_te, y_te = make_data()
    net = make_net()
    opt = make_optimizer()
    opt.build(net.trainable_variables)
    train_step = make_train_step(net, opt)
    ds = tf.data.Dataset.from_tensor_slices((x, y.astype("float32"), w)).shuffle(N_TRAIN).batch(BATCH)
    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb, wb in ds:
            total += float(train_step(xb, yb, wb)) * len(xb)
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f}")
    report(tf.sigmoid(net(x_te, training=False))[:, 0].numpy(), y_te)


if __name__ == "__main__":
    main()
