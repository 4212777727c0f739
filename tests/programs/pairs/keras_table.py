"""Regression on a table with Keras: ``loop=fit``, or a GradientTape of one's own (``loop=tape``)."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from settings import settings, table

o = settings(
    seed=0, lr=0.003, batch=32, epochs=4, shuffle=True, drop_last=False, sort=False, scale="standard", init="xavier",
    bias="zeros", loss="mse", opt="adam", eps=1e-7, beta1=0.9, beta2=0.999, momentum=0.0, nesterov=False, decay=0.0,
    l2=0.0, amsgrad=False, clip="", every=1, act="relu", width=32, dtype="float32", schedule="", loop="fit",
    column=True, penalty=True, dropout=0.0, training=True, out_bias=True, early=False, restore=False, reduce=True,
    split=0.0,
)  # fmt: skip
keras.utils.set_random_seed(o.seed)
if o.dtype == "float64":
    keras.backend.set_floatx("float64")
elif o.dtype == "bfloat16":
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
x, y = table(scale=o.scale, sort=o.sort)
if o.dtype == "float64":
    x, y = x.astype("float64"), y.astype("float64")
y = y[:, None] if o.column else y
kernel = {
    "xavier": "glorot_uniform", "he": "he_normal", "torch": keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
    "normal": keras.initializers.RandomNormal(stddev=0.05),
}[o.init]  # fmt: skip
bias = {"zeros": "zeros", "ones": "ones", "small": keras.initializers.Constant(0.1)}[o.bias]
act = {"leaky": layers.LeakyReLU(0.2)}.get(o.act, o.act)
penalty = keras.regularizers.L2(o.l2) if o.l2 else None


def dense(units, activation=None, use_bias=True):
    return layers.Dense(
        units, activation, kernel_initializer=kernel, bias_initializer=bias, kernel_regularizer=penalty,
        use_bias=use_bias,
    )  # fmt: skip


model = keras.Sequential(
    [
        keras.Input((8,)), dense(o.width, act), layers.Dropout(o.dropout), dense(o.width, act),
        dense(1, use_bias=o.out_bias),
    ]
)  # fmt: skip
rate = o.lr
steps = -(-len(x) // o.batch)
if o.schedule == "step":
    rate = keras.optimizers.schedules.ExponentialDecay(o.lr, 2 * steps, 0.3, staircase=True)
elif o.schedule == "cosine":
    rate = keras.optimizers.schedules.CosineDecay(o.lr, o.epochs * steps)
elif o.schedule == "exponential":
    rate = keras.optimizers.schedules.ExponentialDecay(o.lr, steps, 0.8)
clip = {"": {}, "norm": {"global_clipnorm": 0.5}, "each": {"clipnorm": 0.5}, "value": {"clipvalue": 0.05}}[o.clip]
more = {"gradient_accumulation_steps": o.every} if o.every > 1 else {}
adam = {"beta_1": o.beta1, "beta_2": o.beta2, "epsilon": o.eps, **clip, **more}
if o.opt == "adam":
    optimizer = keras.optimizers.Adam(rate, amsgrad=o.amsgrad, weight_decay=o.decay or None, **adam)
elif o.opt == "adamw":
    optimizer = keras.optimizers.AdamW(rate, weight_decay=o.decay, **adam)
elif o.opt == "rmsprop":
    optimizer = keras.optimizers.RMSprop(rate)
elif o.opt == "adagrad":
    optimizer = keras.optimizers.Adagrad(rate)
else:
    optimizer = keras.optimizers.SGD(
        rate, momentum=o.momentum, nesterov=o.nesterov, weight_decay=o.decay or None, **clip
    )
losses = {
    "mse": "mse",
    "huber": keras.losses.Huber(),
    "mae": "mae",
    "half": lambda t, p: 0.5 * keras.ops.mean((t - p) ** 2),
}

if o.loop == "fit":
    model.compile(optimizer=optimizer, loss=losses[o.loss])
    callbacks = []
    if o.early:
        callbacks = [keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=o.restore)]
    if o.shuffle or not o.drop_last:
        model.fit(x, y, batch_size=o.batch, epochs=o.epochs, shuffle=o.shuffle, verbose=0, callbacks=callbacks,
                  validation_split=o.split)  # fmt: skip
else:
    squared = keras.losses.MeanSquaredError()
    data = tf.data.Dataset.from_tensor_slices((x, y))
    if o.shuffle:
        data = data.shuffle(len(x), seed=o.seed)
    data = data.batch(o.batch, drop_remainder=o.drop_last)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            out = model(xb, training=o.training)
            if o.loss == "hand":
                loss = tf.reduce_mean(tf.square(yb - out))
            elif o.loss == "half":
                loss = 0.5 * tf.reduce_mean(tf.square(yb - out))
            elif o.loss == "sum":
                loss = tf.reduce_sum(tf.square(yb - out))
            elif o.loss == "rows":
                loss = keras.losses.mean_squared_error(yb, out)
            else:
                loss = squared(yb, out)
            if o.penalty and model.losses:
                loss += tf.add_n(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    for epoch in range(o.epochs):
        for xb, yb in data:
            loss = train_step(xb, yb)
        print(f"epoch {epoch + 1}: loss {float(tf.reduce_mean(loss)):.4f}")
print("mse", float(np.mean((model.predict(x, verbose=0).reshape(-1) - y.reshape(-1)) ** 2)))
