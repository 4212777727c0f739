import numpy as np
import tensorflow as tf
import keras

EPOCHS = 8
BATCH = 50
UNITS = 24


def make_data(n=1500, steps=20, seed=21):
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n, steps, 3)).astype("float32")
    gate = (x[:, :, 1] > 0.3).astype("float32")
    decay = 0.9 ** np.arange(steps)[::-1]
    score = (x[:, :, 0] * gate * decay).sum(1) + 0.3 * x[:, -1, 2]
    y = (score > 0).astype("float32")
    return x[:1200], y[:1200, None], x[1200:], y[1200:, None]


keras.utils.set_random_seed(8)
x_train, y_train, x_test, y_test = make_data()

inputs = keras.Input((20, 3))
h = keras.layers.LSTM(UNITS)(inputs)
outputs = keras.layers.Dense(1)(h)
model = keras.Model(inputs, outputs)

loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
opt = keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-12, clipvalue=0.5)
opt.build(model.trainable_variables)
dataset = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(len(x_train), reshuffle_each_iteration=True)
           .batch(BATCH))


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_weights)
    opt.apply(grads, model.trainable_weights)
    return loss


for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in dataset:
        total += float(step(xb, yb)) * len(xb)
    logits = model(x_test, training=False)
    test_loss = float(loss_fn(y_test, logits))
    acc = np.mean((logits.numpy() > 0) == (y_test > 0.5))
    print(f"epoch {epoch}: train {total / len(x_train):.4f} test {test_loss:.4f} acc {acc:.3f}")
