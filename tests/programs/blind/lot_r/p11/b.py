import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(47)
X = rng.uniform(-2, 2, size=(1000, 4)).astype("float32")
y = np.sin(2 * X[:, 0]) * X[:, 1] + 0.5 * np.cos(3 * X[:, 2]) + 0.2 * X[:, 3] ** 2
y = (y + 0.05 * rng.standard_normal(1000)).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

EPOCHS, BATCH = 15, 40
keras.utils.set_random_seed(27)
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(1),
])
schedule = keras.optimizers.schedules.ExponentialDecay(
    5e-4, decay_steps=len(X_train) // BATCH, decay_rate=0.75, staircase=True)
optimizer = keras.optimizers.RMSprop(schedule, rho=0.9, epsilon=1e-16, momentum=0.97)
mse = keras.losses.MeanSquaredError()


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(len(X_train)).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in data:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    print(f"epoch {epoch + 1:2d} mse {total / len(X_train):.4f}")
print(f"test mse {float(mse(y_test, model(X_test, training=False))):.4f}")
