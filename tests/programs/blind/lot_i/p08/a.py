import numpy as np
import tensorflow as tf

EPOCHS = 20
BATCH = 50


def make_data():
    rng = np.random.RandomState(44)
    X = rng.uniform(-1.5, 1.5, size=(1200, 8))
    A = rng.normal(size=(8, 6)) / 2
    B = rng.normal(size=(8, 6)) / 2
    Y = np.sin(X @ A) + 0.5 * (X @ B) ** 2 - 0.5 + 0.05 * rng.normal(size=(1200, 6))
    return (X[:1000].astype("float32"), Y[:1000].astype("float32"),
            X[1000:].astype("float32"), Y[1000:].astype("float32"))


X_train, Y_train, X_test, Y_test = make_data()
tf.keras.utils.set_random_seed(9)


def uniform_init(n_in, n_out):
    limit = np.sqrt(6.0 / (n_in + n_out))
    return (tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit)),
            tf.Variable(tf.random.uniform((n_out,), -limit, limit)))


W1, b1 = uniform_init(8, 64)
W2, b2 = uniform_init(64, 6)
variables = [W1, b1, W2, b2]


def forward(x):
    return tf.matmul(tf.tanh(tf.matmul(x, W1) + b1), W2) + b2


optimizer = tf.keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
optimizer.build(variables)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = 0.5 * tf.reduce_mean(tf.square(forward(x) - y))
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((X_train, Y_train)).shuffle(1000).batch(BATCH)
for epoch in range(1, EPOCHS + 1):
    running = 0.0
    for x, y in data:
        running += float(train_step(x, y)) * len(x)
    print(f"epoch {epoch} loss {running / len(X_train):.5f}")

err = forward(X_test).numpy() - Y_test
print(f"test mse {np.mean(err ** 2):.5f}")
