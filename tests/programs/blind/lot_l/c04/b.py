import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(3).permutation(len(digits.images))
images = (digits.images[order] / 16.0).astype("float32")[..., None]
labels = digits.target[order]
x_train, y_train = images[:1300], labels[:1300]
x_test, y_test = images[1300:], labels[1300:]

L2 = 5e-4


def build():
    reg = lambda: regularizers.L2(L2)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_regularizer=reg()),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", use_bias=False, kernel_regularizer=reg()),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(10, kernel_regularizer=reg()),
    ])


keras.utils.set_random_seed(20)
model = build()

# training
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = loss_fn(y, logits) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


train = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(48)
for epoch in range(6):
    total, count = 0.0, 0
    for x, y in train:
        loss = train_step(x, y)
        total += float(loss) * len(x)
        count += len(x)
    print(f"epoch {epoch + 1} loss {total / count:.4f}")

logits = model(x_test, training=False)
loss = float(loss_fn(y_test, logits) + tf.add_n(model.losses))
acc = np.mean(logits.numpy().argmax(1) == y_test)
print(f"test loss {loss:.4f} acc {acc:.4f}")
