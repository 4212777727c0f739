"""Knowledge distillation on the digits: a wide teacher, then a small student. Keras, own compute_loss."""
import numpy as np
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(100)

TEMP, ALPHA, BATCH = 3.0, 0.7, 64
digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int32")
order = np.random.RandomState(1).permutation(len(X))
X, y = X[order], y[order]
x_train, y_train, x_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


def dense(units, activation=None):
    return layers.Dense(units, activation=activation,
                        kernel_initializer="he_uniform", bias_initializer="zeros")


teacher = keras.Sequential([
    keras.Input((64,)),
    dense(128, "relu"), layers.Dropout(0.3),
    dense(128, "relu"), layers.Dropout(0.3),
    dense(10),
])
student = keras.Sequential([keras.Input((64,)), dense(24, "relu"), dense(10)])


class Distiller(keras.Model):
    def __init__(self, teacher, student):
        super().__init__()
        self.teacher = teacher
        self.teacher.trainable = False
        self.student = student

    def call(self, x, training=False):
        return self.student(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        soft = ops.stop_gradient(self.teacher(x, training=False)) / TEMP
        log_p = ops.log_softmax(soft, axis=-1)
        log_q = ops.log_softmax(y_pred / TEMP, axis=-1)
        kl = ops.mean(ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1)) * TEMP ** 2
        onehot = ops.one_hot(ops.cast(y, "int32"), 10)
        hard = -ops.mean(ops.sum(onehot * ops.log_softmax(y_pred, axis=-1), axis=-1))
        return ALPHA * kl + (1.0 - ALPHA) * hard


# ---- training
teacher.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
h = teacher.fit(x_train, y_train, batch_size=BATCH, epochs=10, shuffle=True, verbose=0)
print("teacher loss %.4f -> %.4f" % (h.history["loss"][0], h.history["loss"][-1]))

distiller = Distiller(teacher, student)
distiller.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.8, nesterov=True))
h = distiller.fit(x_train, y_train, batch_size=BATCH, epochs=15, shuffle=True, verbose=0)
for e in (0, 4, 9, 14):
    print(f"student epoch {e + 1} loss {h.history['loss'][e]:.4f}")

for name, net in (("teacher", teacher), ("student", student)):
    logits = net.predict(x_test, batch_size=397, verbose=0)
    print(f"{name} test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
