"""Diabetes regression: TensorFlow loop."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_squared_error, r2_score

X, y = load_diabetes(return_X_y=True)
idx = np.random.default_rng(2).permutation(len(X))
X, y = X[idx], y[idx]
n = 320
X = ((X - X[:n].mean(axis=0)) / X[:n].std(axis=0)).astype(np.float32)
y = ((y - y[:n].mean()) / y[:n].std()).astype(np.float32)
X_train, y_train, X_test, y_test = X[:n], y[:n], X[n:], y[n:]

HIDDEN, ALPHA, BATCH, EPOCHS, LR = (24, 12), 0.3, 32, 30, 0.003
keras.utils.set_random_seed(0)


def glorot_dense(n_in, n_out, activation=None):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    uniform = lambda: keras.initializers.RandomUniform(minval=-bound, maxval=bound)
    return keras.layers.Dense(n_out, activation=activation,
                              kernel_initializer=uniform(), bias_initializer=uniform())


model = keras.Sequential([
    keras.Input((10,)),
    glorot_dense(10, HIDDEN[0], "tanh"),
    glorot_dense(HIDDEN[0], HIDDEN[1], "tanh"),
    glorot_dense(HIDDEN[1], 1),
])
adam = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        out = model(xb, training=True)
        loss = 0.5 * tf.reduce_mean(tf.square(out - yb))
        penalty = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
        loss += 0.5 * ALPHA / BATCH * penalty
    grads = tape.gradient(loss, model.trainable_variables)
    adam.apply_gradients(zip(grads, model.trainable_variables))
    return loss


order_rng = np.random.default_rng(0)
curve = []
for epoch in range(EPOCHS):
    order = order_rng.permutation(n)
    batch_losses = [float(train_step(X_train[order[i:i + BATCH]], y_train[order[i:i + BATCH]]))
                    for i in range(0, n, BATCH)]
    curve.append(np.mean(batch_losses))

print("loss curve:", " ".join(f"{v:.4f}" for v in curve[::5]), f"{curve[-1]:.4f}")
pred = model(X_test, training=False).numpy()[:, 0]
print(f"test mse {mean_squared_error(y_test, pred):.4f}  r2 {r2_score(y_test, pred):.4f}")
