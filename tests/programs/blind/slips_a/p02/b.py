"""One customer model with two answers: will they buy, and how much. GradientTape version."""
import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(202)


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


class CustomerModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(48, use_bias=False)
        self.norm = keras.layers.BatchNormalization(momentum=0.95, epsilon=1e-3)
        self.dropout = keras.layers.Dropout(0.1)
        self.dense2 = keras.layers.Dense(
            32, activation="relu", kernel_regularizer=keras.regularizers.L2(5e-4)
        )
        self.buy = keras.layers.Dense(1)
        self.amount = keras.layers.Dense(1)

    def call(self, inputs, training=False):
        h = tf.nn.relu(self.norm(self.dense1(inputs), training=training))
        h = self.dense2(self.dropout(h, training=training))
        return self.buy(h), self.amount(h)


model = CustomerModel()
model(tf.zeros((1, 12)))  # create the variables
optimizer = keras.optimizers.Nadam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
train_ds = (
    tf.data.Dataset.from_tensor_slices((x_train, buys_train, spend_train))
    .shuffle(1500, reshuffle_each_iteration=True)
    .batch(64)
)


@tf.function
def train_step(xb, buy_true, spend_true):
    with tf.GradientTape() as tape:
        buy_logit, amount = model(xb)
        bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=buy_true, logits=buy_logit))
        mse = tf.reduce_mean(tf.square(spend_true - amount))
        loss = bce + 0.5 * mse + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
for epoch in range(18):
    total, seen = 0.0, 0
    for xb, bb, sb in train_ds:
        total += float(train_step(xb, bb, sb)) * len(xb)
        seen += len(xb)
    print(f"epoch {epoch + 1}: loss {total / seen:.4f}")

buy_logit, amount = model(x_test, training=False)
print("test accuracy (buy)  %.4f" % np.mean((buy_logit.numpy() > 0) == (buys_test > 0.5)))
print("test mse (amount)    %.4f" % np.mean((amount.numpy() - spend_test) ** 2))
