"""Knowledge distillation on digits: a frozen random-feature teacher, a small convolutional student (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)

TEMP, MIX, EPOCHS, BATCH = 3.0, 0.7, 10, 32

digits = load_digits()
rng = np.random.default_rng(123)
order = rng.permutation(len(digits.target))
x = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int32")
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

# teacher: random features and a ridge read-out, solved once, then never changed
w_feat = rng.normal(size=(64, 400)) * 0.4
b_feat = rng.normal(size=400)
f = np.tanh(x_train @ w_feat + b_feat)
w_read = np.linalg.solve(f.T @ f + 1.0 * np.eye(400), f.T @ (8.0 * np.eye(10)[y_train]))
w_feat, b_feat, w_read = (a.astype("float32") for a in (w_feat, b_feat, w_read))


def teacher(images):
    flat = tf.reshape(images, (-1, 64))
    return tf.tanh(flat @ w_feat + b_feat) @ w_read


student = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="valid", activation="relu", kernel_initializer="he_uniform"),
        layers.Conv2D(24, 3, padding="valid", activation="relu", kernel_initializer="he_uniform"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, kernel_initializer="glorot_uniform"),
    ]
)


class Distiller(keras.Model):
    def __init__(self, student):
        super().__init__()
        self.student = student
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, x, training=False):
        return self.student(x, training=training)

    def train_step(self, data):
        x, y = data
        soft = tf.nn.softmax(teacher(x) / TEMP, axis=-1)
        log_soft = tf.nn.log_softmax(teacher(x) / TEMP, axis=-1)
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            kl = tf.reduce_sum(soft * (log_soft - tf.nn.log_softmax(logits / TEMP, axis=-1)), axis=-1)
            ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
            per_sample = MIX * TEMP**2 * kl + (1.0 - MIX) * ce
            loss = tf.reduce_mean(per_sample)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.tracker.update_state(per_sample)
        return {"loss": self.tracker.result()}


images_train = x_train.reshape(-1, 8, 8, 1)
images_test = x_test.reshape(-1, 8, 8, 1)
model = Distiller(student)
model(images_train[:2])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True))
hist = model.fit(images_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(EPOCHS):
    print(f"epoch {e + 1}: loss {hist.history['loss'][e]:.4f}")

guess = np.argmax(student(images_test, training=False), axis=1)
t_guess = np.argmax(teacher(images_test), axis=1)
print(f"student accuracy {np.mean(guess == y_test):.4f}, agreement with the teacher {np.mean(guess == t_guess):.4f}")
