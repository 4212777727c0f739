import numpy as np
import tensorflow as tf
import keras
from keras import layers

rng = np.random.default_rng(90)
n, T = 1000, 16
X = rng.normal(size=(n, T, 3)).astype("float32")
y = np.tanh(0.6 * X[:, :, 0].sum(1) / 2 + X[:, -1, 1]) + 0.5 * X[:, -3, 2]
y = (y + 0.05 * rng.normal(size=n)).astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:800], y[:800], X[800:], y[800:]

EPOCHS, BATCH, LR, CLIP = 24, 40, 0.4, 1.0
STEPS = EPOCHS * (len(Xtr) // BATCH)

keras.utils.set_random_seed(16)
model = keras.Sequential([
    keras.Input((T, 3)),
    layers.LSTM(20, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
optimizer = keras.optimizers.SGD(learning_rate=keras.optimizers.schedules.CosineDecay(LR, STEPS, alpha=0.0))
mse = keras.losses.MeanSquaredError()


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, CLIP)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


order_rng = np.random.default_rng(16)
for epoch in range(EPOCHS):
    order = order_rng.permutation(len(Xtr))
    losses = []
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        losses.append(float(train_step(tf.constant(Xtr[idx]), tf.constant(ytr[idx]))))
    print(f"{epoch + 1:02d} {np.mean(losses):.5f}")
print("test mse", float(mse(yte, model(Xte, training=False))))
