import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 30
BATCH = 60
EPOCHS = 12

digits = load_digits()
X = ((digits.data - 8.0) / 8.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(12).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

keras.utils.set_random_seed(SEED)
shuffler = np.random.default_rng(SEED)

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(48, activation="tanh"),
    layers.Dense(32, activation="tanh"),
    layers.Dense(10),
])
optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, weight_decay=1e-2)
criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        loss = train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))
        total += float(loss) * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(perm):.4f}")

logits = model(X_test, training=False)
test_loss = float(criterion(y_test, logits))
print(f"test loss {test_loss:.4f} accuracy {(logits.numpy().argmax(1) == y_test).mean():.4f}")
