"""Disease progression from ten clinical measurements (scikit-learn)."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

N_TRAIN = 400
BATCH = 40
EPOCHS = 45


def load():
    X, y = load_diabetes(return_X_y=True)
    order = np.random.RandomState(7).permutation(len(X))
    X, y = X[order], y[order]
    x_scaler = StandardScaler().fit(X[:N_TRAIN])
    y_mean, y_std = y[:N_TRAIN].mean(), y[:N_TRAIN].std()
    X = x_scaler.transform(X).astype(np.float32)
    y = ((y - y_mean) / y_std).astype(np.float32)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:], y_std


def main():
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    X_train, y_train, X_test, y_test, y_std = load()

    reg = MLPRegressor(
        hidden_layer_sizes=(32, 16),
        activation="tanh",
        solver="sgd",
        learning_rate="constant",
        learning_rate_init=0.01,
        momentum=0.9,
        nesterovs_momentum=True,
        alpha=0.4,
        batch_size=BATCH,
        max_iter=EPOCHS,
        shuffle=True,
        early_stopping=False,
        tol=0.0,
        n_iter_no_change=10 * EPOCHS,
        random_state=3,
    )
    reg.fit(X_train, y_train)

    for name, X, y in (("train", X_train, y_train), ("test", X_test, y_test)):
        pred = reg.predict(X)
        mse = mean_squared_error(y, pred)
        print(f"{name}: mse {mse:.4f}  rmse {np.sqrt(mse) * y_std:.1f}  r2 {r2_score(y, pred):.3f}")


if __name__ == "__main__":
    main()
