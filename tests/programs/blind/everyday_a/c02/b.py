"""Customer churn classifier (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

SEED = 0
BATCH_SIZE = 64
EPOCHS = 12
CLASS_WEIGHT = {0: 1.0, 1: 3.0}


def make_data():
    rng = np.random.default_rng(2024)
    n = 2000
    tenure = rng.gamma(2.0, 12.0, n)
    monthly = rng.normal(65, 25, n).clip(15, 140)
    tickets = rng.poisson(1.3, n)
    contract = rng.integers(0, 3, n)  # month-to-month, one year, two years
    autopay = rng.integers(0, 2, n)
    usage = rng.normal(0, 1, (n, 4))
    score = (
        -0.05 * tenure
        + 0.025 * (monthly - 65)
        + 0.6 * tickets
        - 1.1 * contract
        - 0.5 * autopay
        + 0.7 * usage[:, 0] * usage[:, 1]
        - 0.6
    )
    churn = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(np.float32)
    numeric = np.column_stack([tenure, monthly, tickets, usage])
    numeric = (numeric - numeric[:1600].mean(0)) / numeric[:1600].std(0)
    x = np.column_stack([numeric, np.eye(3)[contract], autopay]).astype(np.float32)
    return (x[:1600], churn[:1600]), (x[1600:], churn[1600:])


def build_model(n_features=11):
    inputs = keras.Input((n_features,), name="customer")
    h = layers.Dense(48, activation="relu")(inputs)
    h = layers.Dropout(0.3)(h)
    h = layers.Dense(24, activation="relu")(h)
    h = layers.Dropout(0.3)(h)
    logit = layers.Dense(1, name="churn_logit")(h)
    model = keras.Model(inputs, logit)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate=2e-3, weight_decay=0.02, beta_1=0.9, beta_2=0.999, epsilon=1e-12
        ),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def main():
    keras.utils.set_random_seed(SEED)
    (x, y), (x_test, y_test) = make_data()
    model = build_model(x.shape[1])
    model.fit(
        x,
        y[:, None],
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        shuffle=True,
        class_weight=CLASS_WEIGHT,
        verbose=2,
    )

    logit = model.predict(x_test, verbose=0).ravel().astype("float64")
    prob = 1 / (1 + np.exp(-logit))
    logloss = -np.mean(y_test * np.log(prob) + (1 - y_test) * np.log(1 - prob))
    acc = np.mean((prob > 0.5) == (y_test == 1))
    recall = np.mean(prob[y_test == 1] > 0.5)
    print(f"test log-loss {logloss:.4f}  accuracy {acc:.4f}  recall {recall:.4f}")


if __name__ == "__main__":
    main()
