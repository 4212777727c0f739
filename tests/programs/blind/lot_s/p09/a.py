"""Anomaly autoencoder for machine readings."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(55)


def make_data(n=900, d=20):
    rng = np.random.default_rng(15)
    z = rng.normal(size=(n, 4))
    mix = rng.normal(size=(4, d))
    x = z @ mix + 0.5 * np.tanh(z[:, :2] @ rng.normal(size=(2, d))) + 0.1 * rng.normal(size=(n, d))
    return ((x - x.mean(0)) / x.std(0)).astype("float32")


x = make_data()
x_train, x_test = x[:720], x[720:]

model = keras.Sequential([keras.Input((20,))])
for units in (12, 8, 5, 8, 12):
    model.add(layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
    model.add(layers.PReLU())
model.add(layers.Dense(20, kernel_initializer="glorot_uniform", bias_initializer="zeros"))

optimizer = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
loss_fn = keras.losses.MeanSquaredError()
dataset = tf.data.Dataset.from_tensor_slices(x_train).shuffle(720).batch(36)


@tf.function
def train_step(xb):
    with tf.GradientTape() as tape:
        loss = loss_fn(xb, model(xb, training=True))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for epoch in range(12):
    losses = [float(train_step(xb)) for xb in dataset]
    test = float(loss_fn(x_test, model(x_test, training=False)))
    print(f"epoch {epoch}: loss {np.mean(losses):.4f}, test loss {test:.4f}")
