import warnings
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore")

X, y = load_diabetes(return_X_y=True)
p = np.random.RandomState(5).permutation(len(X))
X, y = X[p], y[p]
X = (X - X[:400].mean(0)) / X[:400].std(0)
y = (y - y[:400].mean()) / y[:400].std()
X, y = X.astype(np.float32), y.astype(np.float32)

mlp = MLPRegressor(hidden_layer_sizes=(32,), activation="tanh", solver="sgd", alpha=0.5,
                   batch_size=40, learning_rate="constant", learning_rate_init=0.01,
                   momentum=0.9, nesterovs_momentum=True, shuffle=True,
                   max_iter=30, tol=0.0, n_iter_no_change=1000, early_stopping=False,
                   random_state=2)
mlp.fit(X[:400], y[:400])

pred = mlp.predict(X[400:])
print("test mse %.4f" % np.mean((pred - y[400:]) ** 2))
print("train mse %.4f" % np.mean((mlp.predict(X[:400]) - y[:400]) ** 2))
