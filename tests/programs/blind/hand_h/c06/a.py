"""Rare-event detection: Keras with class_weight and Dropout layers."""
import numpy as np
import keras
from keras import layers

BATCH, EPOCHS, RATE = 32, 9, 0.25


def make_data():
    rng = np.random.default_rng(2718)
    x = rng.normal(size=(2100, 20)).astype("float32")
    score = 1.4 * x[:, 0] * x[:, 1] + x[:, 2] - 0.8 * x[:, 3] ** 2 + 0.7 * np.abs(x[:, 4]) + 0.5 * rng.normal(size=2100)
    y = (score > np.quantile(score, 0.86)).astype("float32")
    return x[:1500], y[:1500], x[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_data()
n_pos = float(y_train.sum())
n_neg = float(len(y_train) - n_pos)
class_weight = {0: len(y_train) / (2 * n_neg), 1: len(y_train) / (2 * n_pos)}

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input((20,)),
        layers.Dense(64, activation="relu", kernel_initializer="he_normal", bias_initializer="zeros"),
        layers.Dropout(RATE),
        layers.Dense(32, activation="relu", kernel_initializer="he_normal", bias_initializer="zeros"),
        layers.Dropout(RATE),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-12),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# training
model.fit(
    x_train,
    y_train[:, None],
    batch_size=BATCH,
    epochs=EPOCHS,
    shuffle=True,
    class_weight=class_weight,
    verbose=2,
)

logit = model.predict(x_test, batch_size=256, verbose=0)[:, 0]
hit = logit > 0
recall = hit[y_test == 1].mean()
specificity = 1 - hit[y_test == 0].mean()
print(f"balanced accuracy {(recall + specificity) / 2:.4f} recall {recall:.4f}")
