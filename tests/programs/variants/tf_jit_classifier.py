"""A subclassed model, its step a method compiled by XLA, cross entropy from logits."""

import sys

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
rng = np.random.default_rng(1)
x = rng.normal(size=(320, 6)).astype("float32")
labels = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0.5)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(24, activation="relu", kernel_initializer="he_normal")
        self.norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.head = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.head(self.norm(self.hidden(x), training=training))


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = keras.optimizers.AdamW(2e-3, weight_decay=0.01)
        self.criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function(jit_compile=True)
    def step(self, features, target):
        with tf.GradientTape() as tape:
            loss = self.criterion(target, self.net(features, training=True))
        gradients = tape.gradient(loss, self.net.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.net.trainable_variables))  # noqa: B905 -- as people write it
        return loss


trainer = Trainer()
trainer.net(x[:1])
for _ in range(4):
    order = rng.permutation(len(x))
    for at in range(0, len(x), 40):
        rows = order[at : at + 40]
        trainer.step(x[rows], labels[rows])
print(f"accuracy {float(np.mean(trainer.net(x).numpy().argmax(1) == labels)):.4f}")
