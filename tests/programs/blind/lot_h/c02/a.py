import numpy as np
from sklearn.neural_network import MLPRegressor

BATCH = 50
EPOCHS = 25
ALPHA = 0.2


def make_data():
    rng = np.random.default_rng(42)
    x = rng.normal(size=(1000, 8))
    y = np.sin(1.5 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.4 * np.abs(x[:, 3]) + 0.1 * rng.normal(size=1000)
    y = (y - y.mean()) / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:800], y[:800], x[800:], y[800:]


def main():
    xtr, ytr, xte, yte = make_data()
    reg = MLPRegressor(
        hidden_layer_sizes=(40, 20),
        activation="tanh",
        solver="adam",
        alpha=ALPHA,
        batch_size=BATCH,
        learning_rate_init=0.005,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        max_iter=EPOCHS,
        shuffle=True,
        early_stopping=False,
        tol=0.0,
        n_iter_no_change=10 ** 6,
        random_state=5,
    )
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reg.fit(xtr, ytr)
    for i, loss in enumerate(reg.loss_curve_):
        print(f"epoch {i + 1} objective {loss:.4f}")
    print("train mse %.4f" % np.mean((reg.predict(xtr) - ytr) ** 2))
    print("test mse %.4f" % np.mean((reg.predict(xte) - yte) ** 2))


if __name__ == "__main__":
    main()
