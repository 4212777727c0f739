"""Distilling a frozen random-feature teacher into a small convolutional student. Keras, own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

EPOCHS, BATCH, TEMP, ALPHA, L2 = 14, 52, 3.0, 0.7, 1e-4

digits = load_digits()
order = np.random.default_rng(12).permutation(len(digits.target))
X = (digits.images[order] / 16.0).astype(np.float32)
y = digits.target[order].astype(np.int64)
X_train, y_train, X_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]

# the teacher: a fixed random layer and a ridge read-out, solved once
rng = np.random.default_rng(5)
W1 = rng.standard_normal((64, 400)) * 0.35
b1 = rng.uniform(-1.0, 1.0, 400)
hidden = np.maximum(X_train.reshape(-1, 64) @ W1 + b1, 0.0)
W2 = np.linalg.solve(hidden.T @ hidden + 1.0 * np.eye(400), hidden.T @ (np.eye(10)[y_train] * 12.0 - 2.0))

teacher = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Flatten(),
    layers.Dense(400, activation="relu"),
    layers.Dense(10, use_bias=False),
])
teacher.layers[1].set_weights([W1.astype(np.float32), b1.astype(np.float32)])
teacher.layers[2].set_weights([W2.astype(np.float32)])
teacher.trainable = False


def reg():
    return regularizers.L2(L2)


student = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu", kernel_initializer="he_uniform", kernel_regularizer=reg()),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu", kernel_initializer="he_uniform", kernel_regularizer=reg()),
    layers.GlobalAveragePooling2D(),
    layers.Dropout(0.1),
    layers.Dense(10, kernel_initializer="glorot_uniform", kernel_regularizer=reg()),
])


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, batch):
        x, labels = batch
        p_teacher = tf.nn.softmax(self.teacher(x, training=False) / TEMP)
        with tf.GradientTape() as tape:
            logits = self.student(x, training=True)
            hard = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
            soft = tf.reduce_mean(tf.reduce_sum(
                p_teacher * (tf.math.log(p_teacher) - tf.nn.log_softmax(logits / TEMP)), axis=1))
            loss = ALPHA * TEMP ** 2 * soft + (1.0 - ALPHA) * hard + tf.add_n(self.student.losses)
        grads = tape.gradient(loss, self.student.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.student.trainable_variables))
        self.tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.tracker.result()}


model = Distiller(student, teacher)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True))
model.fit(X_train[..., None], y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

t_pred = teacher(X_test[..., None], training=False).numpy().argmax(1)
s_pred = student(X_test[..., None], training=False).numpy().argmax(1)
print(f"teacher accuracy {(t_pred == y_test).mean():.4f}  student accuracy {(s_pred == y_test).mean():.4f}  "
      f"agreement {(t_pred == s_pred).mean():.4f}")
