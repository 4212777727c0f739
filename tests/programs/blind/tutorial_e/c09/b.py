"""Three yes/no questions about one customer, answered by one network with a shared trunk (Keras)."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

BATCH = 40
ALPHA = 0.04


def make_customers(n=1600):
    rng = np.random.default_rng(64)
    x = rng.normal(size=(n, 10))
    hidden = np.tanh(x @ rng.normal(0, 0.8, size=(10, 5)))
    scores = hidden @ rng.normal(0, 1.5, size=(5, 3)) + 0.3 * rng.normal(size=(n, 3))
    y = (scores > np.array([0.0, 0.5, -0.5])).astype("int64")
    x = x.astype("float32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


def dense(n_in, n_out, activation=None):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


def sum_over_tasks(y, z):
    """One value per row: the three binary cross-entropies added up; Keras takes the mean over rows."""
    return tf.reduce_sum(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.cast(y, z.dtype), logits=z), axis=-1)


def main():
    keras.utils.set_random_seed(123)
    xtr, ytr, xte, yte = make_customers()
    model = keras.Sequential([
        keras.Input((10,)),
        dense(10, 24, "relu"),
        dense(24, 12, "relu"),
        dense(12, 3),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss=sum_over_tasks,
    )
    model.fit(xtr, ytr, batch_size=BATCH, epochs=15, shuffle=True, verbose=2)

    z = model.predict(xte, verbose=0).astype("float64")
    p = np.clip(1 / (1 + np.exp(-z)), 1e-7, 1 - 1e-7)
    ce = -(yte * np.log(p) + (1 - yte) * np.log(1 - p))
    print("test cross-entropy, sum of the tasks:", round(float(ce.sum(axis=1).mean()), 4))
    print("test accuracy of each task:", ((p > 0.5) == yte).mean(axis=0))


if __name__ == "__main__":
    main()
