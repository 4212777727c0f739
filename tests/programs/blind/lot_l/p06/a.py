import numpy as np
import keras
from keras import layers

EPOCHS, BATCH = 12, 50


def patients(n, rng, gain=1.0, offset=0.0, weights=None):
    z = rng.normal(size=(n, 20))
    score = np.stack([z @ w + 0.7 * np.sin(2 * z[:, k]) * z[:, k + 3] for k, w in enumerate(weights)], 1)
    label = score.argmax(1)
    return (gain * z + offset).astype("float32"), label.astype("int64")


rng = np.random.default_rng(2024)
W = rng.normal(size=(4, 20)) / 3.0
x_train, y_train = patients(1000, rng, weights=W)
x_val, y_val = patients(300, rng, gain=0.8, offset=0.6, weights=W)
x_test, y_test = patients(500, rng, weights=W)

keras.utils.set_random_seed(15)


def block(units):
    return [
        layers.Dense(units, use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
        layers.ReLU(),
        layers.Dropout(0.4),
    ]


model = keras.Sequential([keras.Input((20,))] + block(64) + block(48) + [layers.Dense(4)])

# training
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
h = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
              validation_data=(x_val, y_val), validation_batch_size=BATCH, verbose=0).history
for e in range(EPOCHS):
    print(f"epoch {e + 1} loss {h['loss'][e]:.4f} val_loss {h['val_loss'][e]:.4f} val_acc {h['val_accuracy'][e]:.4f}")
l, a = model.evaluate(x_test, y_test, batch_size=BATCH, verbose=0)
print(f"test loss {l:.4f} acc {a:.4f}")
