"""One customer model with two answers: will they buy, and how much. model.fit version."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(101)


def make_customers(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 12))
    interest = 1.2 * np.tanh(x[:, 0] * x[:, 1]) + x[:, 2] - 0.8 * np.abs(x[:, 3])
    buys = (interest + rng.logistic(0, 0.4, n) > -0.4).astype("float32")
    spend = 0.7 * interest + np.sin(x[:, 4]) + 0.5 * x[:, 5] + rng.normal(0, 0.2, n)
    return x.astype("float32"), buys[:, None], spend.astype("float32")[:, None]


x, buys, spend = make_customers(2100, seed=64)
x_train, buys_train, spend_train = x[:1500], buys[:1500], spend[:1500]
x_test, buys_test, spend_test = x[1500:], buys[1500:], spend[1500:]


def build_model():
    inputs = keras.Input((12,))
    h = layers.Dense(48, use_bias=False)(inputs)
    h = layers.BatchNormalization(momentum=0.95, epsilon=1e-3)(h)
    h = layers.Activation("relu")(h)
    h = layers.Dropout(0.1)(h)
    h = layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(5e-4))(h)
    buy = layers.Dense(1, name="buy")(h)
    amount = layers.Dense(1, name="amount")(h)
    return keras.Model(inputs, {"buy": buy, "amount": amount})


model = build_model()
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss={"buy": keras.losses.BinaryCrossentropy(from_logits=True), "amount": "mse"},
    loss_weights={"buy": 1.0, "amount": 0.5},
)

# ---- training
model.fit(
    x_train,
    {"buy": buys_train, "amount": spend_train},
    batch_size=64,
    epochs=18,
    shuffle=True,
    verbose=2,
)

out = model.predict(x_test, verbose=0)
print("test accuracy (buy)  %.4f" % np.mean((out["buy"] > 0) == (buys_test > 0.5)))
print("test mse (amount)    %.4f" % np.mean((out["amount"] - spend_test) ** 2))
