"""Digits with a shared convolutional trunk and two outputs, functional Keras."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits


def make_data():
    images, digit = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32).reshape(-1, 8, 8)
    left, right = images[:, :, :4].sum((1, 2)), images[:, :, 4:].sum((1, 2))
    balance = ((right - left) / 5.0).astype(np.float32)
    order = np.random.default_rng(11).permutation(len(images))
    images, digit, balance = images[order], digit[order].astype(np.int64), balance[order]
    return (images[:1500], digit[:1500], balance[:1500],
            images[1500:], digit[1500:], balance[1500:])


keras.utils.set_random_seed(3)
x_tr, d_tr, b_tr, x_te, d_te, b_te = make_data()

picture = keras.Input((8, 8, 1))
h = layers.Conv2D(12, 3, padding="same", activation="relu")(picture)
h = layers.MaxPooling2D(2)(h)
h = layers.Conv2D(24, 3, padding="same", activation="relu")(h)
h = layers.MaxPooling2D(2)(h)
h = layers.Flatten()(h)
h = layers.Dense(48, activation="relu")(h)
h = layers.Dropout(0.2)(h)
digit_logits = layers.Dense(10, name="digit")(h)
balance = layers.Dense(1, name="balance")(h)
model = keras.Model(picture, {"digit": digit_logits, "balance": balance})

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
    loss={"digit": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
          "balance": keras.losses.MeanSquaredError()},
    loss_weights={"digit": 1.0, "balance": 0.5},
    metrics={"digit": ["sparse_categorical_accuracy"], "balance": ["mse"]},
)
history = model.fit(
    x_tr[..., None], {"digit": d_tr, "balance": b_tr[:, None]},
    batch_size=50, epochs=12, shuffle=True, verbose=0,
    validation_data=(x_te[..., None], {"digit": d_te, "balance": b_te[:, None]}),
)
for i in range(12):
    h = {k: v[i] for k, v in history.history.items()}
    print(f"epoch {i + 1:2d}  loss {h['loss']:.4f}  val_loss {h['val_loss']:.4f}  "
          f"val_acc {h['val_digit_sparse_categorical_accuracy']:.4f}  "
          f"val_balance_mse {h['val_balance_mse']:.4f}")
