import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = y.astype("float32")[:, None]
perm = np.random.default_rng(9).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:450], y[:450], X[450:], y[450:]

keras.utils.set_random_seed(13)
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
optimizer = keras.optimizers.Adadelta(learning_rate=1.0)
criterion = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(14):
    order = np.random.permutation(len(X_train))
    epoch_loss = 0.0
    for i in range(0, len(order), 32):
        idx = order[i:i + 32]
        loss = train_step(tf.convert_to_tensor(X_train[idx]), tf.convert_to_tensor(y_train[idx]))
        epoch_loss += float(loss) * len(idx)
    print(f"epoch {epoch + 1} loss {epoch_loss / len(X_train):.5f}")

logits = model(X_test, training=False)
print(f"test loss {float(criterion(y_test, logits)):.5f}")
print(f"test accuracy {np.mean((logits.numpy() > 0) == (y_test > 0.5)):.4f}")
