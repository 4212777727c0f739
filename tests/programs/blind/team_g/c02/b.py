"""Quantile demand forecasting, functional Keras model with three inputs."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

HISTORY, HORIZON = 28, 7
QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")


def make_demand(n, seed):
    """Past (28 days: sales, price, promotion), future plan (7 days: price, promotion, weekend), store."""
    rng = np.random.RandomState(seed)
    days = HISTORY + HORIZON
    start = rng.randint(0, 7, size=n)
    weekday = (start[:, None] + np.arange(days)[None, :]) % 7
    weekend = (weekday >= 5).astype("float64")
    size = rng.normal(0, 1, size=n)
    urban = rng.randint(0, 2, size=n)
    elasticity = -0.8 - 0.6 * urban
    price = rng.normal(0, 0.5, size=(n, 1)) + rng.normal(0, 0.25, size=(n, days))
    promo = (rng.uniform(size=(n, days)) < 0.15).astype("float64")
    trend = rng.normal(0, 0.02, size=(n, 1)) * np.arange(days)[None, :]
    level = 0.8 * size[:, None] + trend
    noise = rng.normal(0, 1, size=(n, days)) * (0.15 + 0.25 * urban[:, None])
    sales = level + elasticity[:, None] * price + 0.9 * promo + (0.7 - 0.3 * urban[:, None]) * weekend + noise
    past = np.stack([sales, price, promo], -1)[:, :HISTORY]
    plan = np.stack([price, promo, weekend], -1)[:, HISTORY:]
    store = np.stack([size, urban, 1.0 - urban], -1)
    return [a.astype("float32") for a in (past, plan, store, sales[:, HISTORY:])]


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(5)

past_in = keras.Input((HISTORY, 3), name="past")
plan_in = keras.Input((HORIZON, 3), name="plan")
store_in = keras.Input((3,), name="store")

h = past_in
for rate in (1, 2, 4):
    h = layers.Conv1D(16, 3, padding="causal", dilation_rate=rate, activation="relu")(h)
h = h[:, -1, :]
h = layers.Concatenate()([h, layers.Flatten()(plan_in), layers.Dense(8, activation="tanh")(store_in)])
h = layers.Dense(48, activation="relu")(h)
h = layers.Dropout(0.1)(h)
h = layers.Dense(HORIZON * len(QUANTILES))(h)
model = keras.Model([past_in, plan_in, store_in], layers.Reshape((HORIZON, len(QUANTILES)))(h))


def pinball(y_true, y_pred):
    e = keras.ops.expand_dims(y_true, -1) - y_pred
    return keras.ops.mean(keras.ops.maximum(QUANTILES * e, (QUANTILES - 1.0) * e), axis=(1, 2))


past, plan, store, sales = make_demand(3000, 1)
t_past, t_plan, t_store, t_sales = make_demand(1000, 2)
epochs, batch_size = 6, 64
steps = epochs * int(np.ceil(len(past) / batch_size))
schedule = keras.optimizers.schedules.CosineDecay(4e-3, decay_steps=steps, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=pinball,
)
model.fit([past, plan, store], sales, batch_size=batch_size, epochs=epochs, shuffle=True, verbose=2)
print("test pinball %.4f" % model.evaluate([t_past, t_plan, t_store], t_sales, verbose=0))
pred = model.predict([t_past, t_plan, t_store], verbose=0)
print("coverage of 10-90 %%: %.3f" % np.mean((t_sales >= pred[..., 0]) & (t_sales <= pred[..., 2])))
