import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

LR, WARMUP, EPOCHS, BATCH = 4e-3, 40, 12, 60

images, labels = load_digits(return_X_y=True)
images = (images.reshape(-1, 8, 8, 1) / 16.0 - 0.3).astype(np.float32)
order = np.random.default_rng(8).permutation(len(images))
images, labels = images[order], labels[order]
onehot = np.eye(10, dtype=np.float32)[labels]
n_train = 1320

keras.utils.set_random_seed(90)
inputs = keras.Input((8, 8, 1))
h = layers.Conv2D(16, 3, padding="same", strides=1)(inputs)
h = layers.LeakyReLU(negative_slope=0.1)(h)
h = layers.Conv2D(24, 3, padding="same", strides=2)(h)
h = layers.LeakyReLU(negative_slope=0.1)(h)
h = layers.Conv2D(32, 3, padding="same", strides=2)(h)
h = layers.LeakyReLU(negative_slope=0.1)(h)
h = layers.Flatten()(h)
h = layers.LayerNormalization(epsilon=1e-5)(h)
outputs = layers.Dense(10)(h)
net = keras.Model(inputs, outputs)


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        return LR * tf.minimum(1.0, (step + 1.0) / WARMUP)


opt = keras.optimizers.AdamW(Warmup(), weight_decay=0.02, beta_1=0.9, beta_2=0.99, epsilon=1e-12)
opt.exclude_from_weight_decay(var_list=[v for v in net.trainable_variables if len(v.shape) == 1])
loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
plain = keras.losses.CategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, net(x, training=True))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


rng = np.random.default_rng(3)
for epoch in range(EPOCHS):
    perm = rng.permutation(n_train)
    total = 0.0
    for s in range(0, n_train, BATCH):
        b = perm[s:s + BATCH]
        total += float(train_step(tf.constant(images[b]), tf.constant(onehot[b]))) * len(b)
    logits = net(images[n_train:], training=False)
    acc = float(np.mean(logits.numpy().argmax(1) == labels[n_train:]))
    print(f"epoch {epoch + 1:2d} train {total / n_train:.4f} test {float(plain(onehot[n_train:], logits)):.4f} acc {acc:.4f}")
