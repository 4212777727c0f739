import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

BATCH, EPOCHS = 44, 50

data = load_diabetes()
order = np.random.RandomState(17).permutation(len(data.target))
X = data.data[order] / data.data.std(0)
y = (data.target[order] - 152.0) / 77.0
X_train, y_train = X[:352], y[:352]
X_test, y_test = X[352:], y[352:]

# training
model = MLPRegressor(
    hidden_layer_sizes=(24, 12), activation="tanh", solver="sgd", alpha=0.5, batch_size=BATCH,
    learning_rate="constant", learning_rate_init=0.005, momentum=0.9, nesterovs_momentum=True,
    max_iter=EPOCHS, shuffle=True, tol=0.0, n_iter_no_change=10 ** 6, early_stopping=False,
    random_state=1,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)
for e in range(9, EPOCHS, 10):
    print(f"epoch {e + 1} loss {model.loss_curve_[e]:.5f}")
pred = model.predict(X_test)
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
