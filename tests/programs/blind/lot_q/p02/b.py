import numpy as np
import tensorflow as tf
from tensorflow import keras


def friedman(n, seed):
    g = np.random.default_rng(seed)
    x = g.uniform(size=(n, 10))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + g.normal(size=n))
    return (2 * x - 1).astype("float32"), ((y - 14.4) / 4.9).astype("float32")[:, None]


xtr, ytr = friedman(800, 0)
xte, yte = friedman(400, 1)

keras.utils.set_random_seed(40)
model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(64, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dropout(0.1),
    keras.layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-9,
                                  weight_decay=0.08)
mse = keras.losses.MeanSquaredError()
batches = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(800).batch(40)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(25):
    values = [step(xb, yb).numpy() for xb, yb in batches]
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train mse {np.mean(values):.4f}")

print(f"test mse {float(mse(yte, model(xte, training=False))):.4f}")
