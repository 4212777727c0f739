import numpy as np
import tensorflow as tf
import keras
from keras import layers

SEED = 3
BATCH = 30
EPOCHS = 10


def make_split(per_class, means, mixers, rng):
    xs, ys = [], []
    for c, (m, w) in enumerate(zip(means, mixers)):
        xs.append(m + rng.normal(size=(per_class, 10)) @ w)
        ys.append(np.full(per_class, c))
    return np.concatenate(xs).astype("float32"), np.concatenate(ys).astype("int64")


rng = np.random.default_rng(500)
means = rng.normal(0, 1.0, (5, 10))
mixers = rng.normal(0, 0.35, (5, 10, 10))
X_train, y_train = make_split(300, means, mixers, rng)
X_test, y_test = make_split(80, means, mixers, rng)

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(5),
])
train = tf.data.Dataset.from_tensor_slices((X_train, y_train)).batch(BATCH)
test = tf.data.Dataset.from_tensor_slices((X_test, y_test)).batch(BATCH)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(train, epochs=EPOCHS, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
logits = model.predict(X_test, verbose=0)
print(f"test loss {model.evaluate(test, verbose=0):.4f} "
      f"accuracy {(logits.argmax(1) == y_test).mean():.4f}")
