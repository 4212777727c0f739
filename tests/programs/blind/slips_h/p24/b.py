"""Small convolutional classifier for the scikit-learn digits (Keras)."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(101)

EPOCHS, BATCH, LR, DECAY, SMOOTH = 10, 50, 2e-3, 0.02, 0.1

data = load_digits()
x = (data.images / 16.0).astype(np.float32)
y = data.target.astype(np.int64)
perm = np.random.RandomState(12).permutation(len(x))
x, y = x[perm], y[perm]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu",
                  kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.Conv2D(24, 3, padding="same", activation="relu",
                  kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.AveragePooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.25),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LR, beta_1=0.9, beta_2=0.999,
                                     epsilon=1e-12, weight_decay=DECAY),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTH),
)
hist = model.fit(x_train[..., None], keras.utils.to_categorical(y_train, 10),
                 epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1:2d}: train loss {value:.4f}")

logits = model.predict(x_test[..., None], verbose=0)
ce = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_test, logits))
print(f"test cross-entropy {ce:.4f}")
print(f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
