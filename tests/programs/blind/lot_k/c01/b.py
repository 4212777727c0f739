import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(11).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1300], labels[:1300]
x_test, y_test = images[1300:], labels[1300:]

LR, MOMENTUM, L2, BATCH, EPOCHS = 0.03, 0.9, 5e-4, 64, 15

keras.utils.set_random_seed(100)
common = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu", kernel_regularizer=regularizers.L2(L2), **common),
    layers.Conv2D(16, 3, padding="valid", activation="relu", kernel_regularizer=regularizers.L2(L2), **common),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.25),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(L2), **common),
    layers.Dense(10, kernel_regularizer=regularizers.L2(L2), **common),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train[..., None], y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: objective {value:.4f}")

logits = model.predict(x_test[..., None], verbose=0).astype("float64")
logp = logits - logits.max(1, keepdims=True)
logp -= np.log(np.exp(logp).sum(1, keepdims=True))
ce = -logp[np.arange(len(y_test)), y_test].mean()
print(f"test: cross-entropy {ce:.4f} accuracy {(logits.argmax(1) == y_test).mean():.4f}")
