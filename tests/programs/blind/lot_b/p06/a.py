import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(50)

rng = np.random.RandomState(23)
X = rng.randn(700, 40).astype(np.float32)
signal = X[:, 0] - 0.8 * X[:, 1] + np.maximum(X[:, 2], 0) + 0.5 * X[:, 3] * X[:, 4]
y = (signal + 0.7 * rng.randn(700)).astype(np.float32)[:, None]
X_train, y_train, X_test, y_test = X[:200], y[:200], X[200:], y[200:]

model = keras.Sequential([
    keras.Input((40,)),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(0.03)),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(0.03)),
    layers.Dense(1, kernel_regularizer=regularizers.L2(0.03)),
])
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
loss_fn = keras.losses.MeanSquaredError()


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = loss_fn(yb, pred)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(200).batch(20)
for epoch in range(50):
    for xb, yb in dataset:
        train_step(xb, yb)

print("train mse %.4f" % float(loss_fn(y_train, model(X_train, training=False))))
print("test mse %.4f" % float(loss_fn(y_test, model(X_test, training=False))))
