"""Regression on a table with scikit-learn's multilayer perceptron."""

import warnings

import numpy as np
from settings import settings, table
from sklearn.neural_network import MLPRegressor

o = settings(
    seed=0, lr=0.003, batch=32, epochs=4, shuffle=True, sort=False, scale="standard", opt="adam", eps=1e-8, beta1=0.9,
    beta2=0.999, momentum=0.9, nesterov=True, alpha=0.0, act="relu", width=32, schedule="constant", early=False,
    dtype="float32",
)  # fmt: skip
warnings.filterwarnings("ignore")
x, y = table(scale=o.scale, sort=o.sort)
x = x.astype(o.dtype)
model = MLPRegressor(
    hidden_layer_sizes=(o.width, o.width), activation=o.act, solver=o.opt, alpha=o.alpha, batch_size=o.batch, learning_rate=o.schedule,
    learning_rate_init=o.lr, max_iter=o.epochs, shuffle=o.shuffle, random_state=o.seed, momentum=o.momentum,
    nesterovs_momentum=o.nesterov, early_stopping=o.early, beta_1=o.beta1, beta_2=o.beta2, epsilon=o.eps,
)  # fmt: skip
model.fit(x, y)
print("mse", float(np.mean((model.predict(x) - y) ** 2)))
