import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(4)

MAX_ITER = 70
BATCH_SIZE = 100

rng = np.random.default_rng(5150)
centers = rng.normal(scale=1.6, size=(12, 6))
which = rng.integers(0, 12, size=1200)
X = (centers[which] + rng.normal(size=(1200, 6))).astype(np.float32)
y = which % 4
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]


def dense(fan_in, units, activation=None):
    bound = float(np.sqrt(6.0 / (fan_in + units)))
    return keras.layers.Dense(
        units, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([keras.Input((6,)), dense(6, 32, "relu"), dense(32, 4)])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


def minibatches(shuffle_rng):
    while True:
        order = shuffle_rng.permutation(len(X_train))
        for start in range(0, len(order), BATCH_SIZE):
            yield order[start:start + BATCH_SIZE]


stream = minibatches(np.random.default_rng(4))
for iteration in range(MAX_ITER):
    idx = next(stream)
    train_step(X_train[idx], y_train[idx])

test_logits = model(X_test, training=False).numpy()
print("train log loss %.4f" % float(loss_fn(y_train, model(X_train, training=False))))
print("test log loss  %.4f" % float(loss_fn(y_test, test_logits)))
print("test accuracy  %.4f" % np.mean(test_logits.argmax(1) == y_test))
