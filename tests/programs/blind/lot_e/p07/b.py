import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)

gen = np.random.RandomState(51)
X = gen.randn(1000, 6).astype("float32")
clean = np.tanh(X[:, 0] - X[:, 1]) + 0.5 * X[:, 2] * X[:, 3] + 0.4 * np.abs(X[:, 4])
noise = 0.15 * gen.randn(1000)
hit = gen.rand(1000) < 0.08
noise[hit] += 5.0 * gen.randn(hit.sum())
y = (clean + noise).astype("float32")[:, None]
X_train, y_train = X[:800], y[:800]
X_test, y_test = X[800:], clean[800:].astype("float32")[:, None]

net = keras.Sequential([
    keras.Input((6,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
criterion = keras.losses.Huber(delta=0.2)
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, net(xb, training=True))
    optimizer.apply_gradients(zip(tape.gradient(loss, net.trainable_variables),
                                  net.trainable_variables))
    return loss


batches = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(800).batch(32)
for epoch in range(15):
    running = 0.0
    for xb, yb in batches:
        running += float(train_step(xb, yb)) * len(xb)
    print("epoch", epoch + 1, "loss", round(running / 800, 5))

mae = float(np.abs(net(X_test, training=False).numpy() - y_test).mean())
print("test mae", mae)
