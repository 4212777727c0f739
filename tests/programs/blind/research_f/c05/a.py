"""Distillation of a frozen random-feature teacher into a small attention student.

Keras: subclassed model, its own train_step, driven by fit().  Each digit is read
as a sequence of eight rows.
"""
import numpy as np
import tensorflow as tf
import keras
from keras import initializers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(12)

D, HEADS, TEMP, MIX = 24, 2, 3.0, 0.7
BATCH, EPOCHS, L2 = 50, 14, 5e-4

bunch = load_digits()
perm = np.random.default_rng(41).permutation(len(bunch.target))
X = (bunch.data[perm] / 16.0 - 0.3).astype("float32")
y = bunch.target[perm].astype("int64")
x_train, y_train, x_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]


def make_teacher(x, labels, features=300, ridge=1.0):
    rng = np.random.default_rng(8)
    w = 0.6 * rng.normal(size=(64, features))
    b = rng.uniform(0, 2 * np.pi, features)
    z = np.cos(x @ w + b)
    c = np.linalg.solve(z.T @ z + ridge * np.eye(features), z.T @ (np.eye(10)[labels] - 0.1))
    return w.astype("float32"), b.astype("float32"), (8.0 * c).astype("float32")


class Student(keras.Model):
    def __init__(self, teacher):
        super().__init__()
        self.teacher = [tf.constant(p) for p in teacher]
        l2 = regularizers.L2(L2 / 2)

        def matrix(name, n, m):
            return self.add_weight(name=name, shape=(n, m), regularizer=l2,
                                   initializer=initializers.GlorotUniform())

        self.w_in = matrix("w_in", 8, D)
        self.pos = self.add_weight(name="pos", shape=(8, D),
                                   initializer=initializers.RandomNormal(stddev=0.1))
        self.wq, self.wk, self.wv, self.wo = (matrix(n, D, D) for n in ("wq", "wk", "wv", "wo"))
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.norm.build((None, 8, D))
        self.w_cls = matrix("w_cls", 8 * D, 10)
        self.b_cls = self.add_weight(name="b_cls", shape=(10,), initializer="zeros")

    def call(self, x, training=False):
        b = tf.shape(x)[0]
        h = tf.einsum("btf,fd->btd", tf.reshape(x, [b, 8, 8]), self.w_in) + self.pos
        split = lambda w: tf.reshape(h @ w, [b, 8, HEADS, D // HEADS])
        q, k, v = split(self.wq), split(self.wk), split(self.wv)
        att = tf.nn.softmax(tf.einsum("bqhc,bkhc->bhqk", q, k) / np.sqrt(D // HEADS), axis=-1)
        mixed = tf.reshape(tf.einsum("bhqk,bkhc->bqhc", att, v), [b, 8, D])
        h = self.norm(h + mixed @ self.wo)
        return tf.reshape(tf.nn.relu(h), [b, 8 * D]) @ self.w_cls + self.b_cls

    def teach(self, x):
        w, b, c = self.teacher
        return tf.cos(x @ w + b) @ c

    def data_loss(self, x, labels, logits):
        p = tf.nn.softmax(self.teach(x) / TEMP)
        log_p = tf.nn.log_softmax(self.teach(x) / TEMP)
        log_q = tf.nn.log_softmax(logits / TEMP)
        soft = tf.reduce_mean(tf.reduce_sum(p * (log_p - log_q), axis=-1)) * TEMP ** 2
        hard = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits))
        return MIX * soft + (1.0 - MIX) * hard

    def train_step(self, data):
        x, labels = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            distill = self.data_loss(x, labels, logits)
            loss = distill + tf.add_n(self.losses)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return {"distill": distill}


teacher = make_teacher(x_train, y_train)
student = Student(teacher)
student(x_train[:2])
student.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True))


def report(tag):
    logits = student(x_test)
    acc = np.mean(logits.numpy().argmax(1) == y_test)
    print(f"{tag}: test distill {float(student.data_loss(x_test, y_test, logits)):.4f} acc {acc:.3f}")


# ---- training
print("teacher acc", np.mean(student.teach(x_test).numpy().argmax(1) == y_test))
report("before")
student.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
report("after")
