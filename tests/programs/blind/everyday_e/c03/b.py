import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(42)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")

x_train = images[:1500, :, :, None]
y_train = keras.utils.to_categorical(labels[:1500], 10)
x_test = images[1500:, :, :, None]
y_test = keras.utils.to_categorical(labels[1500:], 10)

train_ds = (
    tf.data.Dataset.from_tensor_slices((x_train, y_train))
    .shuffle(len(x_train), reshuffle_each_iteration=True)
    .batch(64)
    .prefetch(2)
)


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x)
    return layers.ReLU()(x)


inputs = keras.Input(shape=(8, 8, 1))
x = conv_block(inputs, 12)
x = layers.MaxPooling2D(2)(x)
x = conv_block(x, 24)
x = layers.MaxPooling2D(2)(x)
x = conv_block(x, 32)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs)

BASE_LR = 4e-3
loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
optimizer = keras.optimizers.Adam(BASE_LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = loss_fn(yb, logits)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(10):
    optimizer.learning_rate = BASE_LR * 0.5 ** (epoch // 4)
    epoch_loss = keras.metrics.Mean()
    for xb, yb in train_ds:
        loss = train_step(xb, yb)
        epoch_loss.update_state(loss, sample_weight=tf.shape(xb)[0])

    logits = model(x_test, training=False)
    val_loss = float(loss_fn(y_test, logits))
    val_acc = float(np.mean(np.argmax(logits, axis=1) == labels[1500:]))
    print(
        f"epoch {epoch + 1}: loss {float(epoch_loss.result()):.4f}  "
        f"val_loss {val_loss:.4f}  val_acc {val_acc:.4f}"
    )
