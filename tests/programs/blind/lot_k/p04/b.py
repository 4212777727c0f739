import keras
import numpy as np
import tensorflow as tf

CHANNELS, STEPS, CLASSES, UNITS = 64, 10, 4, 8


def make_sequences(n, seed):
    basis = np.random.RandomState(99).normal(0, 1, (2, CHANNELS))
    rng = np.random.RandomState(seed)
    labels = rng.randint(0, CLASSES, n)
    x = rng.normal(0, 1.0, (n, STEPS, CHANNELS))
    early = np.where(labels // 2 == 0, -1.0, 1.0)
    late = np.where(labels % 2 == 0, -1.0, 1.0)
    x[:, :3] += 0.3 * early[:, None, None] * basis[0]
    x[:, 5:8] += 0.3 * late[:, None, None] * basis[1]
    return x.astype("float32"), labels.astype("int64")


x_train, y_train = make_sequences(800, 1)
x_test, y_test = make_sequences(400, 2)

keras.utils.set_random_seed(8)
model = keras.Sequential([
    keras.Input((STEPS, CHANNELS)),
    keras.layers.LSTM(UNITS),
    keras.layers.Dense(CLASSES),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.RandomState(8)
for epoch in range(12):
    perm = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), 40):
        batch = perm[i:i + 40]
        total += float(train_step(tf.constant(x_train[batch]), tf.constant(y_train[batch]))) * len(batch)
    print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")

logits = model(x_test, training=False)
test_loss = float(loss_fn(y_test, logits))
print(f"test loss {test_loss:.4f}  accuracy {(logits.numpy().argmax(1) == y_test).mean():.4f}")
