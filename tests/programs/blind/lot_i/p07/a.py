import keras
import numpy as np
from keras import layers

EPOCHS = 10
GRID, CELL = 4, 4


def scenes(n, seed):
    shapes = np.random.RandomState(100).choice([-1.0, 1.0], size=(4, 4, 4))
    rng = np.random.RandomState(seed)
    img = 0.4 * rng.normal(size=(n, 16, 16, 1))
    lab = np.zeros((n, GRID, GRID), dtype="int64")
    for i in range(n):
        for _ in range(2):
            r, c, k = rng.randint(0, 13), rng.randint(0, 13), rng.randint(0, 4)
            img[i, r:r + 4, c:c + 4, 0] += shapes[k]
            lab[i, r // CELL, c // CELL] = k + 1
    return img.astype("float32"), lab


x_train, y_train = scenes(1200, 0)
x_val, y_val = scenes(300, 1)

keras.utils.set_random_seed(14)
he = "he_uniform"
model = keras.Sequential([
    keras.Input((16, 16, 1)),
    layers.Conv2D(24, 3, strides=2, padding="same", activation="relu", kernel_initializer=he),
    layers.Conv2D(48, 3, strides=2, padding="same", activation="relu", kernel_initializer=he),
    layers.Conv2D(48, 1, activation="relu", kernel_initializer=he),
    layers.Conv2D(5, 1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=4e-3, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
log = model.fit(x_train, y_train, batch_size=40, epochs=EPOCHS,
                validation_data=(x_val, y_val), verbose=0).history
for i in range(EPOCHS):
    print(f"epoch {i + 1} loss {log['loss'][i]:.4f} val_loss {log['val_loss'][i]:.4f}")
