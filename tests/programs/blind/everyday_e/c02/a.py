# Customer churn, Keras version
import numpy as np
import keras
from keras import layers
from sklearn.metrics import log_loss, roc_auc_score

keras.utils.set_random_seed(2024)


def load_customers():
    rng = np.random.RandomState(99)
    n = 2600
    tenure = rng.exponential(24, n)
    monthly = rng.normal(65, 22, n).clip(15, 130)
    contract = rng.choice(3, n, p=[0.55, 0.25, 0.20])
    support_calls = rng.poisson(1.4, n)
    fiber = rng.binomial(1, 0.45, n)
    senior = rng.binomial(1, 0.16, n)
    autopay = rng.binomial(1, 0.5, n)
    score = (
        -0.6
        - 0.05 * tenure
        + 0.025 * (monthly - 65)
        - 1.1 * (contract == 1)
        - 2.0 * (contract == 2)
        + 0.45 * support_calls
        + 0.7 * fiber * (monthly > 75)
        + 0.4 * senior
        - 0.5 * autopay
    )
    churn = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.5 * score))).astype("int64")
    onehot = np.eye(3)[contract]
    X = np.column_stack([tenure, monthly, support_calls, fiber, senior, autopay, onehot])
    return X, churn


X, y = load_customers()
X_train, X_test = X[:2000], X[2000:]
y_train, y_test = y[:2000], y[2000:]
mu, sigma = X_train.mean(0), X_train.std(0)
X_train = ((X_train - mu) / sigma).astype("float32")
X_test = ((X_test - mu) / sigma).astype("float32")

BATCH = 100
ALPHA = 0.05


def dense(units, fan_in, activation):
    limit = (6.0 / (fan_in + units)) ** 0.5
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential(
    [
        keras.Input(shape=(X_train.shape[1],)),
        dense(32, X_train.shape[1], "tanh"),
        dense(16, 32, "tanh"),
        dense(1, 16, "sigmoid"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(
        learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-7
    ),
    loss=keras.losses.BinaryCrossentropy(),
    metrics=["accuracy"],
)
model.summary()
model.fit(X_train, y_train, batch_size=BATCH, epochs=15, shuffle=True, verbose=2)

for name, Xs, ys in [("train", X_train, y_train), ("test", X_test, y_test)]:
    p = model.predict(Xs, batch_size=500, verbose=0)[:, 0]
    acc = np.mean((p > 0.5) == ys)
    print(
        f"{name}: logloss={log_loss(ys, p):.4f} accuracy={acc:.4f} "
        f"auc={roc_auc_score(ys, p):.4f}"
    )
