import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(21)
keras.mixed_precision.set_global_policy("mixed_bfloat16")

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
n_train = 1400
x_train, y_train = images[:n_train, :, :, None], labels[:n_train]
x_test, y_test = images[n_train:, :, :, None], labels[n_train:]
t_train = np.eye(10, dtype="float32")[y_train]

net = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(40, activation="relu"),
    layers.Dense(10),
])
optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
criterion = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05)
ds = tf.data.Dataset.from_tensor_slices((x_train, t_train)).shuffle(n_train).batch(32)


@tf.function(reduce_retracing=True)
def train_step(x, t):
    with tf.GradientTape() as tape:
        loss = criterion(t, net(x, training=True))
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


for epoch in range(8):
    running = 0.0
    for x, t in ds:
        running += float(train_step(x, t)) * len(x)
    print("epoch", epoch, "train loss", round(running / n_train, 4))

logits = net(x_test, training=False).numpy()
print("test accuracy", float((logits.argmax(1) == y_test).mean()))
