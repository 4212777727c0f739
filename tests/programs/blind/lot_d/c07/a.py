import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(17)

d = load_digits()
x = (d.images / 8.0 - 1.0).astype("float32")[..., None]
y = keras.utils.to_categorical(d.target, 10)
p = np.random.RandomState(5).permutation(len(x))
x, y = x[p], y[p]
x_train, y_train, x_val, y_val = x[:1500], y[:1500], x[1500:], y[1500:]

reg = keras.regularizers.L2(5e-4)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_regularizer=reg),
    layers.BatchNormalization(momentum=0.9),
    layers.ReLU(),
    layers.MaxPooling2D(),
    layers.Conv2D(24, 3, padding="same", use_bias=False, kernel_regularizer=reg),
    layers.BatchNormalization(momentum=0.9),
    layers.ReLU(),
    layers.GlobalAveragePooling2D(),
    layers.Dropout(0.25),
    layers.Dense(10, activation="softmax", kernel_regularizer=reg),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=50, epochs=7, shuffle=True, verbose=2)
loss, acc = model.evaluate(x_val, y_val, batch_size=50, verbose=0)
print(f"validation loss {loss:.4f} (with penalty), accuracy {acc:.4f}")
