import numpy as np
import tensorflow as tf
import keras
from keras import layers

rng = np.random.default_rng(70)
X = rng.normal(size=(1230, 10)).astype("float32")
score = np.stack([X[:, 0] * X[:, 1], np.sin(2 * X[:, 2]) + X[:, 3], 0.8 * X[:, 4] ** 2 - 0.5 * X[:, 5]], axis=1)
y = np.argmax(score + 0.2 * rng.normal(size=score.shape), axis=1)
Xtr, ytr, Xte, yte = X[:930], y[:930], X[930:], y[930:]

ALPHA = 0.05
BATCH = 50
keras.utils.set_random_seed(34)


def dense(n_in, n_out, activation=None):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([
    keras.Input((10,)),
    dense(10, 32, "tanh"),
    dense(32, 16, "tanh"),
    dense(16, 3),
])
opt = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        data_loss = ce(yb, model(xb, training=True))
        sq = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
        n = tf.cast(tf.shape(xb)[0], tf.float32)
        loss = data_loss + ALPHA * sq / (2.0 * n)
    variables = model.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((Xtr, ytr)).shuffle(len(Xtr), reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(25):
    total = 0.0
    for xb, yb in ds:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    print("epoch", epoch + 1, "loss", total / len(Xtr))

print("train acc", (np.argmax(model(Xtr, training=False), 1) == ytr).mean())
logits = model(Xte, training=False)
print("test acc", (np.argmax(logits, 1) == yte).mean())
print("test nll", float(ce(yte, logits)))
