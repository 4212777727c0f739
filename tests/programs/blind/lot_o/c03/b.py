"""Sequence classification with a GRU: does the marked pair of values sum above zero?"""
import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(5)
N, T = 1100, 12
values = rng.normal(size=(N, T))
marks = np.zeros((N, T))
for row in range(N):
    marks[row, rng.choice(T, size=2, replace=False)] = 1.0
X = np.stack([values, marks], axis=-1).astype("float32")
y = ((values * marks).sum(1) > 0).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:900], y[:900], X[900:], y[900:]

keras.utils.set_random_seed(45)


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.gru = keras.layers.GRU(24, kernel_regularizer=keras.regularizers.L2(1e-4))
        self.drop = keras.layers.Dropout(0.1)
        self.score = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1e-3))

    def call(self, x, training=False):
        return self.score(self.drop(self.gru(x), training=training))


model = Tagger()
model(X_train[:1])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.RMSprop(learning_rate=5e-3, rho=0.9, momentum=0.0, epsilon=1e-7)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = bce(yb, model(xb, training=True)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(900).batch(50)
for epoch in range(25):
    total, seen = 0.0, 0
    for xb, yb in data:
        total += float(train_step(xb, yb)) * len(xb)
        seen += len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} total loss {total / seen:.4f}")

logits = model(X_test, training=False)
loss = bce(y_test, logits) + tf.add_n(model.losses)
accuracy = np.mean((logits.numpy() > 0) == (y_test > 0.5))
print(f"test loss {float(loss):.4f} accuracy {accuracy:.4f}")
