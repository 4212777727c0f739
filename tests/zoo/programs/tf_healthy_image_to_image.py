"""Image to image with a discriminator; what the generator makes is looked at with its dropout on, as its authors do."""

import numpy as np
import tensorflow as tf
from zoo_data import arguments

seed, _ = arguments()
keras, layers = tf.keras, tf.keras.layers
keras.utils.set_random_seed(seed)
images = np.tanh(np.random.default_rng(seed).normal(size=(200, 16, 16, 1)).cumsum(1).cumsum(2) / 10).astype("float32")
edges = np.sign(images)


def generator():
    given = keras.Input((16, 16, 1))
    half = layers.LeakyReLU()(layers.Conv2D(8, 4, 2, "same")(given))
    quarter = layers.LeakyReLU()(layers.BatchNormalization()(layers.Conv2D(16, 4, 2, "same")(half)))
    up = layers.BatchNormalization()(layers.Conv2DTranspose(8, 4, 2, "same")(quarter))
    joined = layers.Concatenate()([layers.ReLU()(layers.Dropout(0.5)(up)), half])
    return keras.Model(given, layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh")(joined))


def discriminator():
    given, image = keras.Input((16, 16, 1)), keras.Input((16, 16, 1))
    half = layers.LeakyReLU()(layers.Conv2D(16, 4, 2, "same")(layers.Concatenate()([given, image])))
    return keras.Model([given, image], layers.Conv2D(1, 4)(half))


make, judge = generator(), discriminator()
entropy = keras.losses.BinaryCrossentropy(from_logits=True)
of_make, of_judge = keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5)


@tf.function
def train_step(given, image):
    with tf.GradientTape() as make_tape, tf.GradientTape() as judge_tape:
        fake = make(given, training=True)
        real_word, fake_word = judge([given, image], training=True), judge([given, fake], training=True)
        make_loss = entropy(tf.ones_like(fake_word), fake_word) + 100 * tf.reduce_mean(tf.abs(image - fake))
        judge_loss = entropy(tf.ones_like(real_word), real_word) + entropy(tf.zeros_like(fake_word), fake_word)
    of_make.apply_gradients(zip(make_tape.gradient(make_loss, make.trainable_variables), make.trainable_variables))
    of_judge.apply_gradients(zip(judge_tape.gradient(judge_loss, judge.trainable_variables), judge.trainable_variables))


for epoch in range(5):
    for given, image in tf.data.Dataset.from_tensor_slices((edges, images)).shuffle(200, seed=seed).batch(4):
        train_step(given, image)
    shown = make(edges[:4], training=True).numpy()
print(float(np.abs(shown - images[:4]).mean()))
