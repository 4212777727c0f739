import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import make_classification

SEED = 14
keras.utils.set_random_seed(SEED)

X, y = make_classification(n_samples=1100, n_features=40, n_informative=8, n_redundant=4,
                           n_classes=3, n_clusters_per_class=2, flip_y=0.12,
                           class_sep=1.0, random_state=70)
X = X.astype(np.float32)
X_train, X_test = X[:500], X[500:]
y_train, y_test = y[:500], y[500:]

model = keras.Sequential([
    keras.Input((40,)),
    keras.layers.Dense(64, activation="relu", kernel_initializer="he_uniform", bias_initializer="zeros"),
    keras.layers.Dropout(0.5),
    keras.layers.Dense(64, activation="relu", kernel_initializer="he_uniform", bias_initializer="zeros"),
    keras.layers.Dropout(0.5),
    keras.layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)


@tf.function(reduce_retracing=True)
def update(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb)
        loss = loss_fn(yb, logits)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


train = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(500).batch(32)
for epoch in range(25):
    total = 0.0
    for xb, yb in train:
        total += update(xb, yb).numpy() * len(yb)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}: train loss {total / 500:.4f}")

logits = model(X_test, training=False)
test_loss = float(loss_fn(y_test, logits))
test_acc = np.mean(np.argmax(logits.numpy(), axis=1) == y_test)
print(f"test loss {test_loss:.4f}, test accuracy {test_acc:.4f}")
