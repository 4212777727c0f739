import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(6)


def make_data(n=900):
    rng = np.random.default_rng(19)
    num = rng.normal(size=(n, 6))
    cat = rng.integers(0, 5, size=n)
    one_hot = np.eye(5)[cat]
    demand = 1.5 * num[:, 0] + num[:, 1] ** 2 + 0.8 * cat - num[:, 2] * (cat == 3) + 0.3 * rng.standard_t(3, size=n)
    demand = (demand - demand.mean()) / demand.std()
    stockout = (num[:, 3] + 0.5 * num[:, 0] - 0.4 * cat + 0.8 + 0.5 * rng.normal(size=n) > 0).astype("float32")
    return (num.astype("float32"), one_hot.astype("float32"),
            demand.astype("float32")[:, None], stockout[:, None])


num, cat, demand, stockout = make_data()

num_in = keras.Input((6,), name="num")
cat_in = keras.Input((5,), name="cat")
a = layers.Dense(20, activation="silu")(num_in)
b = layers.Dense(6, activation="silu")(cat_in)
h = layers.Concatenate()([a, b])
h = layers.LayerNormalization(epsilon=1e-5)(h)
h = layers.Dropout(0.1)(h)
h = layers.Dense(16, activation="silu")(h)
demand_out = layers.Dense(1, name="demand")(h)
stock_out = layers.Dense(1, name="stockout")(h)
model = keras.Model([num_in, cat_in], [demand_out, stock_out])

model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=3e-3, weight_decay=0.02, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=[keras.losses.Huber(delta=1.0), keras.losses.BinaryCrossentropy(from_logits=True)],
    loss_weights=[1.0, 0.5],
)
model.fit([num[:700], cat[:700]], [demand[:700], stockout[:700]], batch_size=32, epochs=12, shuffle=True, verbose=2,
          validation_data=([num[700:], cat[700:]], [demand[700:], stockout[700:]]))
