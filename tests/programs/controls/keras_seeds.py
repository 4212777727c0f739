"""A regression from many beginnings, one run each, as ``torch_seeds.py`` trains it: SEEDS."""

import sys

import keras
import numpy as np
from data import beginning, load

import auditor_agent

x, y, x_val, y_val = (part.astype(np.float32) for part in load("regression"))
for seed in range(int(sys.argv[1])):
    start, order = beginning(seed, len(x))
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
    net.set_weights([start[0], np.zeros(16), start[1], np.zeros(1)])
    net.compile(keras.optimizers.Adam(1e-2), "mse")
    audit = auditor_agent.keras.Audit(name=f"keras-{seed}")
    net.fit(
        x[order],
        y[order, None],
        batch_size=40,
        epochs=30,
        shuffle=False,
        validation_data=(x_val, y_val[:, None]),
        callbacks=[audit],
        verbose=0,
    )
    audit.run.finish()
    print(audit.run.id)
