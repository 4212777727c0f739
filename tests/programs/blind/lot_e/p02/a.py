import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import make_friedman1

keras.utils.set_random_seed(4)

X, y = make_friedman1(n_samples=1000, n_features=10, noise=0.5, random_state=8)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32").reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:768], y[:768], X[768:], y[768:]

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(16, activation="tanh"),
    layers.Dense(1),
])
optimizer = keras.optimizers.SGD(learning_rate=0.005)
dataset = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(768).batch(16)


@tf.function
def train_step(x, t):
    with tf.GradientTape() as tape:
        pred = model(x, training=True)
        loss = keras.losses.mean_squared_error(t, pred)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(10):
    losses = [train_step(x, t).numpy() for x, t in dataset]
    print("epoch", epoch, "mse", float(np.concatenate(losses).mean()))

pred = model(X_test, training=False).numpy()
print("test mse", float(np.mean((pred - y_test) ** 2)))
