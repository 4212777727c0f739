"""House-price style regression, moved from scikit-learn to Keras."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers, ops, regularizers

BATCH_SIZE = 50
EPOCHS = 20
ALPHA = 0.05  # strength in scikit-learn's convention


def make_data():
    rng = np.random.default_rng(101)
    X = rng.normal(size=(1250, 10))
    y = (
        2.0 * np.sin(X[:, 0] * 1.5)
        + X[:, 1] * X[:, 2]
        + 0.8 * X[:, 3] ** 2
        - 1.2 * X[:, 4]
        + 0.3 * rng.normal(size=1250)
    )
    X_train, X_test = X[:1000], X[1000:]
    y_train, y_test = y[:1000], y[1000:]
    mean, std = X_train.mean(0), X_train.std(0)
    y_mean, y_std = y_train.mean(), y_train.std()
    X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
    y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std
    return [v.astype(np.float32) for v in (X_train, y_train, X_test, y_test)]


def dense(fan_in, units, activation):
    """Dense layer with scikit-learn's initial law (biases included)."""
    bound = np.sqrt(6.0 / (fan_in + units))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=regularizers.L2(ALPHA / 2),
    )


def half_squared_error(y_true, y_pred):
    return 0.5 * ops.mean(ops.square(y_pred - y_true), axis=-1)


def build_model(n_features=10):
    model = keras.Sequential(
        [
            keras.Input((n_features,)),
            dense(n_features, 32, "relu"),
            dense(32, 16, "relu"),
            dense(16, 1, None),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
        loss=half_squared_error,
    )
    return model


if __name__ == "__main__":
    keras.utils.set_random_seed(42)
    X_train, y_train, X_test, y_test = make_data()
    model = build_model()
    model.fit(X_train, y_train[:, None], batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=True, verbose=0)

    p_train = model.predict(X_train, verbose=0).ravel()
    p_test = model.predict(X_test, verbose=0).ravel()
    mse = np.mean((p_test - y_test) ** 2)
    print(f"train mse {np.mean((p_train - y_train) ** 2):.4f}")
    print(f"test mse  {mse:.4f}")
    print(f"test r2   {1 - mse / np.var(y_test):.4f}")
