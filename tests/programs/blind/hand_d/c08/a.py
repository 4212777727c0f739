"""Digit autoencoder, gradients accumulated over 4 mini-batches (Keras fit)."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(314)

x = (load_digits().data / 16.0).astype("float32")
x = x[np.random.default_rng(5).permutation(len(x))]
x_train, x_test = x[:1536], x[1536:]


def dense(units, activation=None):
    return layers.Dense(units, activation=activation,
                        kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.25),
                        bias_initializer="zeros")


model = keras.Sequential([
    keras.Input((64,)),
    dense(32, "elu"),
    dense(8),
    dense(32, "elu"),
    dense(64),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.3, initial_accumulator_value=0.1,
                                       epsilon=1e-10, gradient_accumulation_steps=4),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# ---- training
model.fit(x_train, x_train, batch_size=32, epochs=12, shuffle=True, verbose=0)

print("train reconstruction %.4f" % model.evaluate(x_train, x_train, batch_size=32, verbose=0))
print("test reconstruction  %.4f" % model.evaluate(x_test, x_test, batch_size=32, verbose=0))
