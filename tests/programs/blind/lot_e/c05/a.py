import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)

rng = np.random.default_rng(9)
N, L, F = 900, 12, 6
X = rng.normal(size=(N, L, F)).astype("float32")
pos = rng.integers(0, L, N)
X[:, :, 0] = 0.0
X[np.arange(N), pos, 0] = 3.0
y = (X[np.arange(N), pos, 1] + 0.5 * X[np.arange(N), pos, 2] > 0).astype("int32")
X_train, y_train, X_test, y_test = X[:700], y[:700], X[700:], y[700:]


def build():
    inp = keras.Input((L, F))
    x = layers.Dense(24)(inp)
    att = layers.MultiHeadAttention(num_heads=3, key_dim=8)(x, x)
    att = layers.Dropout(0.1)(att)
    x = layers.LayerNormalization(epsilon=1e-5)(x + att)
    ff = layers.Dense(48, activation="gelu")(x)
    ff = layers.Dense(24)(ff)
    ff = layers.Dropout(0.1)(ff)
    x = layers.LayerNormalization(epsilon=1e-5)(x + ff)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inp, layers.Dense(2)(x))


model = build()
steps_per_epoch = -(-len(X_train) // 50)
schedule = keras.optimizers.schedules.CosineDecay(4e-3, decay_steps=18 * steps_per_epoch)
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=schedule, weight_decay=0.01, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
train = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(700).batch(50)
hist = model.fit(train, epochs=18, verbose=0)
print("last training losses", hist.history["loss"][-3:])
pred = model.predict(X_test, verbose=0).argmax(1)
print("test accuracy", float((pred == y_test).mean()))
