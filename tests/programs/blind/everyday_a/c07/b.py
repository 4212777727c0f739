"""Denoising autoencoder for 8x8 digits, TensorFlow with plain variables."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

BATCH_SIZE = 60
EPOCHS = 15
NOISE = 0.2
SIZES = [64, 40, 12, 40, 64]


def load_images():
    x = load_digits().data.astype(np.float32) / 16.0
    x = x[np.random.default_rng(8).permutation(len(x))]
    return x[:1500], x[1500:]


class Autoencoder(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights, self.biases = [], []
        for fan_in, fan_out in zip(SIZES[:-1], SIZES[1:]):
            std = (2.0 / (fan_in + fan_out)) ** 0.5
            self.weights.append(tf.Variable(tf.random.normal((fan_in, fan_out), stddev=std)))
            self.biases.append(tf.Variable(tf.zeros(fan_out)))

    def __call__(self, x):
        activations = [tf.tanh, tf.tanh, tf.tanh, tf.sigmoid]
        for w, b, act in zip(self.weights, self.biases, activations):
            x = act(x @ w + b)
        return x


def make_optimizer():
    return tf.keras.optimizers.Adam(5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def make_train_step(model, optimizer):
    params = model.weights + model.biases
    optimizer.build(params)

    @tf.function
    def train_step(clean, noisy):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(noisy) - clean))
        optimizer.apply_gradients(zip(tape.gradient(loss, params), params))
        return loss

    return train_step


def main():
    tf.random.set_seed(21)
    train, test = load_images()
    dataset = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train)).batch(BATCH_SIZE)
    model = Autoencoder()
    optimizer = make_optimizer()
    train_step = make_train_step(model, optimizer)
    for epoch in range(EPOCHS):
        optimizer.learning_rate.assign(5e-3 * 0.93**epoch)
        losses = []
        for clean in dataset:
            noisy = clean + tf.random.normal(tf.shape(clean), stddev=NOISE)
            losses.append(train_step(clean, noisy).numpy())
        print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.5f}")
    mse = np.mean((model(test).numpy() - test) ** 2)
    print(f"reconstruction mse on clean test images {mse:.5f}")


if __name__ == "__main__":
    main()
