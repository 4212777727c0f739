import numpy as np
import tensorflow as tf
import keras
from keras import layers

rng = np.random.default_rng(42)
n, d, k = 1500, 12, 5
centers = rng.normal(0.0, 1.3, (k, 2, d))
labels = rng.integers(0, k, n)
which = rng.integers(0, 2, n)
X = (centers[labels, which] + rng.normal(0.0, 1.0, (n, d))).astype("float32")
y = labels.astype("int64")
X_train, y_train = X[:1200], y[:1200]
X_test, y_test = X[1200:], y[1200:]

SEED = 5
BATCH = 60
EPOCHS = 15
ALPHA = 0.3

keras.utils.set_random_seed(SEED)


def dense(fan_in, units, activation=None):
    bound = float(np.sqrt(6.0 / (fan_in + units)))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((d,)),
    dense(d, 40, "tanh"),
    dense(40, 20, "tanh"),
    dense(20, k),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

logits = model(X_test, training=False)
nll = float(loss_fn(y_test, logits))
acc = (logits.numpy().argmax(1) == y_test).mean()
print(f"test nll {nll:.4f} accuracy {acc:.4f}")
