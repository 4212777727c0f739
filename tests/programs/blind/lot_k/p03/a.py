import os
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf

rng = np.random.RandomState(21)
X = rng.uniform(0, 1, (768, 8)).astype(np.float32)
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, 768))
X = (X - 0.5) / 0.29
y = ((y - y[:512].mean()) / y[:512].std()).astype(np.float32)
X = X.astype(np.float32)
X_train, y_train, X_test, y_test = X[:512], y[:512], X[512:], y[512:]

batch_size = 64
max_iter = 64
learning_rate = 5e-3

keras.utils.set_random_seed(5)


def layer(n_in, n_out, activation=None):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return keras.layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([keras.Input((8,)), layer(8, 40, "relu"), layer(40, 1)])
optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = tf.squeeze(model(xb, training=True), axis=1)
        loss = 0.5 * tf.reduce_mean(tf.square(pred - yb))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.RandomState(5)
iteration = 0
while iteration < max_iter:
    order = shuffler.permutation(len(X_train))
    for start in range(0, len(order), batch_size):
        idx = order[start:start + batch_size]
        loss = train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))
        iteration += 1
        if iteration == max_iter:
            break

for name, data, target in (("train", X_train, y_train), ("test", X_test, y_test)):
    pred = model(data, training=False).numpy().ravel()
    mse = np.mean((pred - target) ** 2)
    print(f"{name} mse {mse:.4f} r2 {1 - mse / target.var():.4f}")
