"""Breast cancer with Keras fit: LayerNormalization, Dropout, AdamW and class_weight."""
import numpy as np
import keras
from sklearn.datasets import load_breast_cancer

raw = load_breast_cancer()
perm = np.random.RandomState(1).permutation(len(raw.target))
x, y = raw.data[perm], raw.target[perm].astype("float32")[:, None]
mean, std = x[:448].mean(0), x[:448].std(0)
x = ((x - mean) / std).astype("float32")
x_train, y_train, x_test, y_test = x[:448], y[:448], x[448:], y[448:]
CLASS_WEIGHT = {0: 1.6, 1: 0.7}

keras.utils.set_random_seed(12)
inputs = keras.Input((30,))
h = keras.layers.Dense(32)(inputs)
h = keras.layers.LayerNormalization(epsilon=1e-5)(h)
h = keras.layers.Activation("relu")(h)
h = keras.layers.Dropout(0.25)(h)
h = keras.layers.Dense(12, activation="tanh")(h)
outputs = keras.layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.AdamW(
        learning_rate=2e-3, weight_decay=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-7
    ),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)

# ---- training
history = model.fit(
    x_train, y_train, batch_size=32, epochs=12, shuffle=True, class_weight=CLASS_WEIGHT, verbose=0
)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d} weighted loss {value:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
