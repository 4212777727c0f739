"""One-dimensional curve fitting with a TensorFlow training loop."""
import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(7)
x = rng.uniform(-2.0, 2.0, size=(800, 1)).astype("float32")
y = (np.sin(3.0 * x[:, 0]) + 0.3 * x[:, 0] + 0.05 * rng.normal(size=800)).astype("float32")
x_train, y_train = x[:640], y[:640]
x_test, y_test = x[640:], y[640:]

EPOCHS = 30
BATCH = 32

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((1,)),
    keras.layers.Dense(48, activation="relu", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(1, kernel_initializer="glorot_uniform"),
])
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        out = model(xb, training=True)[:, 0]
        loss = 0.5 * tf.reduce_mean(tf.square(out - yb))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


order_rng = np.random.default_rng(5)
for epoch in range(EPOCHS):
    order = order_rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        loss = step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))
        total += float(loss) * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch + 1:3d} loss {total / len(order):.5f}")

pred = model(x_test, training=False).numpy()[:, 0]
print("final training loss", round(total / len(order), 5))
print("test mse", round(float(np.mean((pred - y_test) ** 2)), 5))
