import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers

BATCH, EPOCHS, L2 = 24, 60, 0.03


def assay(n, rng, coef):
    x = rng.normal(size=(n, 30))
    y = np.tanh(x @ coef[0]) + 0.5 * (x @ coef[1]) + 0.5 * rng.normal(size=n)
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


rng = np.random.default_rng(77)
coef = rng.normal(size=(2, 30)) * (rng.random((2, 30)) < 0.2)
x_train, y_train = assay(180, rng, coef)
x_test, y_test = assay(600, rng, coef)

keras.utils.set_random_seed(5)
inp = keras.Input((30,))
h = layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(L2))(inp)
h = layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(L2))(h)
out = layers.Dense(1, kernel_regularizer=regularizers.L2(L2))(h)
model = keras.Model(inp, out)

# training
optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
mse = keras.losses.MeanSquaredError()


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train), seed=5).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in ds:
        total += float(train_step(xb, yb)) * len(xb)
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} mse {total / len(x_train):.4f}")

print(f"test mse {float(mse(y_test, model(x_test, training=False))):.4f}")
