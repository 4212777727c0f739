"""A small convolutional student learns from a frozen random-feature teacher (Keras)."""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

digits = load_digits()
perm = np.random.RandomState(5).permutation(len(digits.target))
X = (digits.data[perm] / 16.0).astype("float32")
y = digits.target[perm].astype("int32")
x_train, y_train, x_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

# teacher: ridge regression on random cosines, solved once and then left alone
rs = np.random.RandomState(8)
omega = (0.6 * rs.randn(64, 400)).astype("float32")
phase = rs.uniform(0, 2 * np.pi, 400).astype("float32")
phi = np.cos(x_train @ omega + phase).astype("float64")
onehot = 2.0 * np.eye(10)[y_train] - 1.0
readout = np.linalg.solve(phi.T @ phi + 1.0 * np.eye(400), phi.T @ onehot).astype("float32")


def teacher(x):
    return 5.0 * tf.matmul(tf.cos(tf.matmul(x, omega) + phase), readout)


TEMPERATURE, SOFT = 2.5, 0.7
l2 = keras.regularizers.L2(2e-4)


class Student(keras.Model):
    def __init__(self):
        super().__init__()
        self.grid = keras.layers.Reshape((8, 8, 1))
        self.conv1 = keras.layers.Conv2D(8, 3, padding="same", activation="relu", kernel_regularizer=l2)
        self.conv2 = keras.layers.Conv2D(16, 3, strides=2, padding="valid", activation="relu",
                                         kernel_regularizer=l2)
        self.flat = keras.layers.Flatten()
        self.fc = keras.layers.Dense(10, kernel_regularizer=l2)

    def call(self, x):
        return self.fc(self.flat(self.conv2(self.conv1(self.grid(x)))))

    def train_step(self, data):
        x, labels = data
        target = tf.nn.softmax(teacher(x) / TEMPERATURE)
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            log_q = tf.nn.log_softmax(logits / TEMPERATURE)
            kl = tf.reduce_mean(tf.reduce_sum(target * (tf.math.log(target) - log_q), axis=-1))
            hard = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
            loss = SOFT * TEMPERATURE ** 2 * kl + (1 - SOFT) * hard + tf.add_n(self.losses)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss, "kl": kl, "hard": hard}


student = Student()
student(x_train[:1])
student.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True))

# ---- training
student.fit(x_train, y_train, batch_size=64, epochs=15, shuffle=True, verbose=2)

logits = student(x_test, training=False).numpy()
t_logits = teacher(x_test).numpy()
print("teacher accuracy %.4f" % (t_logits.argmax(1) == y_test).mean())
print("student accuracy %.4f agreement %.4f" % (
    (logits.argmax(1) == y_test).mean(), (logits.argmax(1) == t_logits.argmax(1)).mean()))
