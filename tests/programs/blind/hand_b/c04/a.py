"""Diabetes regression with scikit-learn's MLPRegressor."""
import warnings
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)
EPOCHS, BATCH, HIDDEN, ALPHA, LR = 40, 50, (24, 12), 0.5, 5e-3

data = load_diabetes()
perm = np.random.default_rng(2).permutation(len(data.target))
train, test = perm[:360], perm[360:]
x_mean, x_std = data.data[train].mean(0), data.data[train].std(0)
y_mean, y_std = data.target[train].mean(), data.target[train].std()
X = ((data.data - x_mean) / x_std).astype("float32")
Y = ((data.target - y_mean) / y_std).astype("float32")

model = MLPRegressor(
    loss="squared_error", hidden_layer_sizes=HIDDEN, activation="tanh", solver="adam",
    alpha=ALPHA, batch_size=BATCH, learning_rate_init=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
    max_iter=EPOCHS, shuffle=True, tol=0.0, n_iter_no_change=100000, early_stopping=False,
    random_state=4,
)

# training
model.fit(X[train], Y[train])
for epoch, value in enumerate(model.loss_curve_, 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  objective {value:.4f}")

err = model.predict(X[test]) - Y[test]
mse = float((err ** 2).mean())
r2 = 1.0 - mse / float(((Y[test] - Y[test].mean()) ** 2).mean())
print(f"test mse {mse:.4f}  test r2 {r2:.4f}")
