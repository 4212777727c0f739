"""Demand forecasting with past sales, planned promotions and store attributes: own training loop."""
import numpy as np
import tensorflow as tf
import keras


T_PAST, T_FUT, N_STORE = 21, 7, 8


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(99)
    level = truth.uniform(1.0, 2.5, N_STORE)
    uplift = truth.uniform(0.3, 1.0, N_STORE)
    store = rng.randint(0, N_STORE, n)
    t0 = rng.randint(0, 7, n)
    days = np.arange(T_PAST + T_FUT)
    season = 0.6 * np.sin(2 * np.pi * (t0[:, None] + days) / 7)
    promo = (rng.rand(n, T_PAST + T_FUT) < 0.25).astype("float32")
    drift = rng.randn(n, 1) * 0.4
    y = level[store][:, None] + season + uplift[store][:, None] * promo + drift
    y = y + rng.randn(n, T_PAST + T_FUT) * 0.15
    past = np.stack([y[:, :T_PAST], promo[:, :T_PAST]], axis=2).astype("float32")
    future = promo[:, T_PAST:].astype("float32")
    static = np.eye(N_STORE)[store].astype("float32")
    return past, future, static, y[:, T_PAST:].astype("float32")


past_tr, fut_tr, sta_tr, y_tr = make_data(1000, 10)
past_te, fut_te, sta_te, y_te = make_data(400, 11)
BATCH, EPOCHS = 48, 12

keras.utils.set_random_seed(3)


class Forecaster(keras.Model):
    def __init__(self):
        super().__init__()
        self.gru = keras.layers.GRU(16)
        self.hidden = keras.layers.Dense(32, activation="relu",
                                         kernel_regularizer=keras.regularizers.L2(1e-4))
        self.drop = keras.layers.Dropout(0.1)
        self.head = keras.layers.Dense(T_FUT, kernel_regularizer=keras.regularizers.L2(1e-4))

    def call(self, inputs, training=False):
        past, future, static = inputs
        x = tf.concat([self.gru(past), future, static], axis=1)
        x = self.drop(self.hidden(x), training=training)
        return self.head(x)


model = Forecaster()
model((past_tr[:2], fut_tr[:2], sta_tr[:2]))
schedule = keras.optimizers.schedules.ExponentialDecay(4e-3, decay_steps=100, decay_rate=0.7)
optimizer = keras.optimizers.RMSprop(learning_rate=schedule, rho=0.9, momentum=0.0, epsilon=1e-7)
optimizer.build(model.trainable_variables)


def huber(y, p):
    e = tf.abs(y - p)
    return tf.reduce_mean(tf.where(e <= 1.0, 0.5 * e * e, e - 0.5))


@tf.function
def train_step(past, future, static, y):
    with tf.GradientTape() as tape:
        pred = model((past, future, static), training=True)
        loss = huber(y, pred) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices((past_tr, fut_tr, sta_tr, y_tr))
dataset = dataset.shuffle(len(y_tr), reshuffle_each_iteration=True).batch(BATCH)

# training
for epoch in range(EPOCHS):
    total, count = 0.0, 0
    for past, future, static, y in dataset:
        loss = train_step(past, future, static, y)
        total += float(loss) * len(y)
        count += len(y)
    print(f"epoch {epoch + 1}: loss {total / count:.4f}")

p = model((past_te, fut_te, sta_te), training=False).numpy()
print(f"test mae {np.abs(p - y_te).mean():.4f}  rmse {np.sqrt(((p - y_te) ** 2).mean()):.4f}")
