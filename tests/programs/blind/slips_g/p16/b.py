import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(230)

d = load_digits()
x = (d.images / 8.0 - 1.0).astype("float32")[..., None]
y = keras.utils.to_categorical(d.target, 10)
p = np.random.RandomState(5).permutation(len(x))
x, y = x[p], y[p]
x_train, y_train, x_val, y_val = x[:1500], y[:1500], x[1500:], y[1500:]


def block(h, filters):
    h = layers.Conv2D(filters, 3, padding="same", use_bias=False,
                      kernel_regularizer=keras.regularizers.L2(5e-4))(h)
    h = layers.BatchNormalization(momentum=0.9)(h)
    return layers.Activation("relu")(h)


inputs = keras.Input((8, 8, 1))
h = block(inputs, 16)
h = layers.MaxPooling2D(2)(h)
h = block(h, 24)
h = layers.GlobalAveragePooling2D()(h)
h = layers.Dropout(0.25)(h)
outputs = layers.Dense(10, kernel_regularizer=keras.regularizers.L2(5e-4))(h)
model = keras.Model(inputs, outputs)

cce = keras.losses.CategoricalCrossentropy(from_logits=True)
opt = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
dataset = dataset.shuffle(1500, reshuffle_each_iteration=True).batch(50)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb)
        loss = cce(yb, logits) + tf.add_n(model.losses)
    variables = model.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for epoch in range(7):
    mean = keras.metrics.Mean()
    for xb, yb in dataset:
        mean.update_state(step(xb, yb))
    print(f"epoch {epoch + 1} loss {float(mean.result()):.4f}")

logits = model(x_val, training=False)
loss = float(cce(y_val, logits) + tf.add_n(model.losses))
acc = np.mean(np.argmax(logits, 1) == np.argmax(y_val, 1))
print(f"validation loss {loss:.4f} (with penalty), accuracy {acc:.4f}")
