"""Is the sum of the two marked values positive?  LSTM in Keras, loop with GradientTape."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers


def make_data():
    rng = np.random.default_rng(61)
    n, t = 1500, 16
    values = rng.uniform(-1, 1, (n, t))
    marks = np.zeros((n, t))
    first = rng.integers(0, t // 2, n)
    second = rng.integers(t // 2, t, n)
    rows = np.arange(n)
    marks[rows, first] = 1
    marks[rows, second] = 1
    x = np.stack([values, marks], axis=2).astype(np.float32)
    y = (values[rows, first] + values[rows, second] > 0).astype(np.float32)[:, None]
    return x[:1100], y[:1100], x[1100:], y[1100:]


def make_model():
    inputs = keras.Input((16, 2))
    h = layers.LSTM(32)(inputs)  # glorot_uniform, orthogonal, forget bias 1
    return keras.Model(inputs, layers.Dense(1)(h))


def make_optimizer():
    return keras.optimizers.Adam(learning_rate=6e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


bce = keras.losses.BinaryCrossentropy(from_logits=True)


def make_train_step(model, optimizer):
    @tf.function(reduce_retracing=True)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = bce(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return train_step


def main():
    keras.utils.set_random_seed(9)
    x_train, y_train, x_test, y_test = make_data()
    model = make_model()
    train_step = make_train_step(model, make_optimizer())
    rng = np.random.default_rng(9)
    for epoch in range(16):
        order = rng.permutation(len(x_train))
        total = 0.0
        for i in range(0, len(order), 64):
            idx = order[i:i + 64]
            total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(order):.4f}")
    logits = model(x_test, training=False)
    acc = np.mean((logits.numpy() > 0) == (y_test > 0.5))
    print(f"test loss {float(bce(y_test, logits)):.4f}  test accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
