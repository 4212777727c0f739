import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(21)


def make_data():
    rng = np.random.default_rng(2024)
    x = rng.normal(size=(1500, 10))
    w = rng.normal(size=(10, 3))
    h = x @ w
    y = 8.0 + 3.0 * np.sin(h[:, 0]) + 1.5 * h[:, 1] * np.tanh(h[:, 2]) + 0.3 * rng.normal(size=1500)
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


x, y = make_data()
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]

model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(24, activation="tanh"),
    keras.layers.Dense(1),
])
loss_fn = keras.losses.MeanSquaredError()
opt = keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.98, epsilon=1e-12, amsgrad=True)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(5)
for epoch in range(25):
    perm = rng.permutation(1200)
    losses = []
    for i in range(0, 1200, 50):
        sel = perm[i:i + 50]
        losses.append(float(step(tf.constant(x_train[sel]), tf.constant(y_train[sel]))))
    test = float(loss_fn(y_test, model(x_test, training=False)))
    print(f"{epoch:3d}  train {np.mean(losses):8.4f}  test {test:8.4f}")
