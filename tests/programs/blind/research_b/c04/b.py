"""Distillation by regressing the centred logits of a frozen teacher (Keras, own train_step)."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

SEED = 4
BATCH = 64
TEACHER_EPOCHS, STUDENT_EPOCHS = 10, 14


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    order = np.random.default_rng(17).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1300], y[:1300], x[1300:], y[1300:]


def dense(n_in, n_out, activation=None):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


class LogitDistiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.teacher.trainable = False
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, x, training=False):
        return self.student(x, training=training)

    def train_step(self, x):
        z = self.teacher(x, training=False)
        z = tf.stop_gradient(z - tf.reduce_mean(z, axis=1, keepdims=True))
        with tf.GradientTape() as tape:
            err = self.student(x, training=True) - z
            # half the squared distance of the logit vectors, averaged over the batch
            loss = 0.5 * tf.reduce_mean(tf.reduce_sum(tf.square(err), axis=1))
        weights = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.loss_tracker.result()}


keras.utils.set_random_seed(SEED)
x, y, xt, yt = digits()

teacher = keras.Sequential([keras.Input((64,)), dense(64, 96, "relu"), dense(96, 64, "relu"), dense(64, 10)])
teacher.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
log = teacher.fit(x, y, batch_size=BATCH, epochs=TEACHER_EPOCHS, shuffle=True, verbose=0)
teacher_pred = teacher.predict(xt, verbose=0).argmax(1)
print("teacher  train loss %.4f  test accuracy %.4f" % (log.history["loss"][-1], np.mean(teacher_pred == yt)))

student = keras.Sequential([keras.Input((64,)), dense(64, 24, "relu"), dense(24, 10)])
distiller = LogitDistiller(student, teacher)
distiller.compile(optimizer=keras.optimizers.SGD(learning_rate=0.0015, momentum=0.9, nesterov=True))
log = distiller.fit(x, batch_size=BATCH, epochs=STUDENT_EPOCHS, shuffle=True, verbose=0)
for epoch in (0, 4, 9, 13):
    # scikit-learn style report: mean over the ten outputs
    print("student  epoch %2d  loss %.4f" % (epoch + 1, log.history["loss"][epoch] / 10))

out = student.predict(xt, verbose=0).argmax(1)
print("student  test accuracy %.4f  agreement with teacher %.4f" % (
    np.mean(out == yt), np.mean(out == teacher_pred)))
