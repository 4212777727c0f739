"""Anomaly autoencoder on machine telemetry, TensorFlow with a hand-written loop."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.metrics import roc_auc_score

BATCH, EPOCHS, ALPHA = 100, 25, 0.05


def make_data():
    rng = np.random.default_rng(9)
    d, k = 20, 4
    mix = rng.normal(size=(k, d)) / np.sqrt(k)

    def normal(n):
        z = rng.normal(size=(n, k))
        return np.tanh(z @ mix) + 0.1 * rng.normal(size=(n, d))

    train = normal(2000)
    good = normal(400)
    bad = normal(100)
    cols = rng.integers(0, d, size=(100, 3))
    for i in range(100):
        bad[i, cols[i]] += rng.normal(size=3) * 0.8
    mu, sd = train.mean(0), train.std(0)
    test = np.concatenate([good, bad])
    label = np.r_[np.zeros(400), np.ones(100)]
    return ((train - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label


def build():
    sizes = [20, 16, 5, 16, 20]
    model = keras.Sequential([keras.Input((20,))])
    for i in range(4):
        bound = float(np.sqrt(6.0 / (sizes[i] + sizes[i + 1])))
        model.add(keras.layers.Dense(
            sizes[i + 1], activation="tanh" if i < 3 else None,
            kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=100 + i),
            bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=200 + i)))
    return model


def make_step(model, optimizer):
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            err = model(x, training=True) - x
            # half squared error, summed over the sensors, averaged over the batch
            loss = 0.5 * tf.reduce_mean(tf.reduce_sum(tf.square(err), axis=1))
            penalty = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
            loss += ALPHA / (2.0 * BATCH) * penalty
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(42)
    x, x_test, label = make_data()
    model = build()
    optimizer = keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    step = make_step(model, optimizer)
    rng = np.random.default_rng(8)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        losses = [float(step(tf.constant(x[order[i:i + BATCH]]))) for i in range(0, len(x), BATCH)]
        if epoch % 5 == 4:
            print("epoch %d objective %.4f" % (epoch + 1, np.mean(losses)))

    def predict(a):
        return model(a, training=False).numpy()

    for name, part in (("train", x), ("test normal", x_test[label == 0])):
        print("%s reconstruction mse %.4f" % (name, np.mean((predict(part) - part) ** 2)))
    score = np.mean((predict(x_test) - x_test) ** 2, axis=1)
    print("AUC of the anomaly score %.4f" % roc_auc_score(label, score))


if __name__ == "__main__":
    main()
