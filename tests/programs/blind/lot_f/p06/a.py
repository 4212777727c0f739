"""House-price-like regression with outliers, robust loss."""
import numpy as np
import keras
import tensorflow as tf

keras.utils.set_random_seed(33)

BETA = 4.0
rng = np.random.default_rng(12)
area, age, rooms, dist = rng.normal(size=(4, 1300))
price = 6 * area - 3 * age * (dist > 0) + 2 * rooms ** 2 - 4 * np.tanh(2 * dist) + rng.normal(size=1300)
price[:1000] += np.where(rng.random(1000) < 0.06, rng.normal(0, 40, 1000), 0.0)
X = np.stack([area, age, rooms, dist], axis=1).astype(np.float32)
y = price.astype(np.float32).reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
loss_fn = keras.losses.Huber(delta=BETA)
optimizer = keras.optimizers.SGD(learning_rate=0.002, momentum=0.9)
optimizer.build(model.trainable_variables)


@tf.function
def train_on(x, t):
    with tf.GradientTape() as tape:
        loss = loss_fn(t, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


batches = np.random.default_rng(33)
for epoch in range(20):
    perm = batches.permutation(1000)
    values = [float(train_on(X_train[perm[i:i + 40]], y_train[perm[i:i + 40]])) for i in range(0, 1000, 40)]
    print("epoch", epoch, "loss", round(float(np.mean(values)), 4))

pred = model(X_test, training=False).numpy()
print("test mae %.4f" % np.mean(np.abs(pred - y_test)))
