"""Values of actions against a target network that follows now and then; rewards depend on the action taken."""

import numpy as np
import tensorflow as tf
from zoo_data import arguments

seed, _ = arguments()
keras = tf.keras
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)


def network():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3)])


values, target = network(), network()
target.set_weights(values.get_weights())
optimizer = keras.optimizers.Adam(1e-3)
for step in range(300):
    state, after = rng.normal(size=(2, 32, 4)).astype("float32")
    action = rng.integers(0, 3, 32)
    reward = (action == (state[:, 0] > 0)).astype("float32")
    wanted = reward + 0.9 * np.max(target(after).numpy(), 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(wanted - tf.reduce_sum(values(state) * tf.one_hot(action, 3), 1)))
    optimizer.apply_gradients(zip(tape.gradient(loss, values.trainable_variables), values.trainable_variables))
    if step % 75 == 74:
        target.set_weights(values.get_weights())
