"""A small convolutional network with batch normalisation in Keras: fit, or a tape."""

import keras
import tensorflow as tf
from keras import layers
from settings import images, settings

o = settings(
    seed=0, lr=0.001, batch=64, epochs=3, shuffle=True, drop_last=False, sort=False, scale="unit", bn_eps=1e-5,
    bn_momentum=0.9, dropout=0.25, pad="same", pool="max", softmax=True, logits=False, smoothing=0.0, training=True,
    act="relu", conv_bias=True, opt="adam", momentum=0.9, filters=8, norm=True, loop="fit", eval_training=False,
    l2=0.0, penalty=True, init="glorot_uniform",
)  # fmt: skip
keras.utils.set_random_seed(o.seed)
x, y = images(scale=o.scale, sort=o.sort)
labels = tf.one_hot(y, 4).numpy()
pool = {"max": layers.MaxPooling2D, "avg": layers.AveragePooling2D}[o.pool]
penalty = keras.regularizers.L2(o.l2) if o.l2 else None
act = {"leaky": lambda: layers.LeakyReLU(0.3)}.get(o.act, lambda: layers.Activation(o.act))


def block(filters):
    conv = layers.Conv2D(
        filters, 3, padding=o.pad, use_bias=o.conv_bias, kernel_regularizer=penalty, kernel_initializer=o.init
    )
    norm = [layers.BatchNormalization(epsilon=o.bn_eps, momentum=o.bn_momentum)] if o.norm else []
    return [conv, *norm, act(), pool(2)]


model = keras.Sequential(
    [
        keras.Input((12, 12, 1)), *block(o.filters), *block(2 * o.filters), layers.Flatten(), layers.Dropout(o.dropout),
        layers.Dense(4, activation="softmax" if o.softmax else None, kernel_initializer=o.init),
    ]
)  # fmt: skip
adam = keras.optimizers.Adam(o.lr)
optimizer = adam if o.opt == "adam" else keras.optimizers.SGD(o.lr, momentum=o.momentum)
loss = keras.losses.CategoricalCrossentropy(from_logits=o.logits, label_smoothing=o.smoothing)
if o.loop == "fit":
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    model.fit(x[:512], labels[:512], batch_size=o.batch, epochs=o.epochs, shuffle=o.shuffle, verbose=0,
              validation_data=(x[512:], labels[512:]))  # fmt: skip
else:
    train = tf.data.Dataset.from_tensor_slices((x[:512], labels[:512]))
    train = train.shuffle(512, seed=o.seed) if o.shuffle else train
    train = train.batch(o.batch, drop_remainder=o.drop_last)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            value = loss(yb, model(xb, training=o.training))
            if o.penalty and model.losses:
                value += tf.add_n(model.losses)
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return value

    for epoch in range(o.epochs):
        for xb, yb in train:
            value = train_step(xb, yb)
        scores = model(x[512:], training=o.eval_training)
        accuracy = tf.reduce_mean(tf.cast(tf.argmax(scores, 1) == y[512:], tf.float32))
        print(f"epoch {epoch + 1}: loss {float(value):.4f}, accuracy {float(accuracy):.3f}")
