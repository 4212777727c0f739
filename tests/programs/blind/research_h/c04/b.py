# Distilling an MLP teacher into a small CNN on the 8x8 digits, with a Keras Distiller model.
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(99)

images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32")
p = np.random.RandomState(1).permutation(len(images))
images, labels = images[p], labels[p]
xtr, ytr, xte, yte = images[:1400], labels[:1400], images[1400:], labels[1400:]


def adagrad(lr):
    return keras.optimizers.Adagrad(learning_rate=lr, initial_accumulator_value=0.1, epsilon=1e-12)


teacher = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(160, activation="relu"),
    layers.Dense(10),
])
teacher.compile(adagrad(0.03), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
teacher.fit(xtr, ytr, batch_size=64, epochs=6, shuffle=True, verbose=0)
print("teacher accuracy %.4f" % np.mean(teacher.predict(xte, verbose=0).argmax(1) == yte))
teacher.trainable = False

student = keras.Sequential([
    keras.Input((64,)),
    layers.Reshape((8, 8, 1)),
    layers.Conv2D(10, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.2),
    layers.Dense(10),
])


class Distiller(keras.Model):
    def __init__(self, student, teacher, temperature, alpha):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.temperature, self.alpha = temperature, alpha
        self.mean_loss = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.mean_loss]

    def call(self, x, training=False):
        return self.student(x, training=training)

    def train_step(self, data):
        x, y = data
        T = self.temperature
        t_log = tf.nn.log_softmax(self.teacher(x, training=False) / T)
        with tf.GradientTape() as tape:
            logits = self.student(x, training=True)
            hard = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
            s_log = tf.nn.log_softmax(logits / T)
            kl = tf.reduce_mean(tf.reduce_sum(tf.exp(t_log) * (t_log - s_log), axis=-1))
            loss = (1.0 - self.alpha) * hard + self.alpha * T * T * kl
        ws = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, ws), ws))
        self.mean_loss.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.mean_loss.result()}


class TestAccuracy(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        acc = np.mean(student.predict(xte, verbose=0).argmax(1) == yte)
        print("epoch %d loss %.4f test accuracy %.4f" % (epoch + 1, logs["loss"], acc))


distiller = Distiller(student, teacher, temperature=3.0, alpha=0.7)
distiller.compile(optimizer=adagrad(0.03))
distiller.fit(xtr, ytr, batch_size=64, epochs=10, shuffle=True, verbose=0, callbacks=[TestAccuracy()])
