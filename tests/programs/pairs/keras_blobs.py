"""Three classes, a small network, Keras."""

import keras
from keras import layers
from settings import blobs, settings

o = settings(
    seed=0, lr=0.05, batch=40, epochs=4, softmax=True, logits=False, weights=False, opt="sgd", momentum=0.9,
    nesterov=False, balance=True, hidden=16, shuffle=True, act="tanh", decay=0.0, clip="", amsgrad=False, ema=False,
)  # fmt: skip
keras.utils.set_random_seed(o.seed)
x, y = blobs(balance=o.balance)
model = keras.Sequential(
    [
        keras.Input((10,)), layers.Dense(o.hidden, activation=o.act),
        layers.Dense(3, activation="softmax" if o.softmax else None),
    ]
)  # fmt: skip
if o.opt == "sgd":
    optimizer = keras.optimizers.SGD(o.lr, momentum=o.momentum, nesterov=o.nesterov, weight_decay=o.decay or None)
else:
    optimizer = keras.optimizers.Adam(o.lr)
model.compile(optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=o.logits), metrics=["accuracy"])
weights = {0: 1.0, 1: 1.0, 2: 5.0} if o.weights else None
model.fit(x, y, batch_size=o.batch, epochs=o.epochs, shuffle=o.shuffle, class_weight=weights, verbose=0)
