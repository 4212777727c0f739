# Matrix factorisation with biases, plain TensorFlow.
import numpy as np
import tensorflow as tf

N_USERS, N_ITEMS, DIM = 90, 60, 6
BATCH, EPOCHS = 80, 15
LR, REG = 3.0, 0.003


def make_ratings(seed):
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 0.6, (N_USERS, 3))
    style = rng.normal(0, 0.6, (N_ITEMS, 3))
    generous = rng.normal(0, 0.4, N_USERS)
    quality = rng.normal(0, 0.5, N_ITEMS)
    full = 3.4 + generous[:, None] + quality[None, :] + 1.6 * taste @ style.T
    pairs = rng.permutation(N_USERS * N_ITEMS)[:4000]
    users, items = pairs // N_ITEMS, pairs % N_ITEMS
    ratings = np.clip(full[users, items] + rng.normal(0, 0.25, len(pairs)), 1, 5)
    return users.astype("int32"), items.astype("int32"), ratings.astype("float32")


users, items, ratings = make_ratings(123)
train, test = slice(0, 3000), slice(3000, 4000)
mean_rating = float(ratings[train].mean())


class Recommender(tf.Module):
    def __init__(self):
        super().__init__()
        self.user_factors = tf.Variable(tf.random.normal([N_USERS, DIM]), name="user_factors")
        self.item_factors = tf.Variable(tf.random.normal([N_ITEMS, DIM]), name="item_factors")
        self.user_bias = tf.Variable(tf.zeros([N_USERS]), name="user_bias")
        self.item_bias = tf.Variable(tf.zeros([N_ITEMS]), name="item_bias")

    def __call__(self, u, i):
        p = tf.gather(self.user_factors, u)
        q = tf.gather(self.item_factors, i)
        score = tf.reduce_sum(p * q, axis=1) + tf.gather(self.user_bias, u) + tf.gather(self.item_bias, i)
        return mean_rating + score, p, q


tf.random.set_seed(4)
model = Recommender()
optimizer = tf.keras.optimizers.SGD(learning_rate=LR)


@tf.function
def train_step(u, i, r):
    with tf.GradientTape() as tape:
        pred, p, q = model(u, i)
        mse = tf.reduce_mean(tf.square(pred - r))
        penalty = REG * tf.reduce_mean(tf.reduce_sum(p * p, axis=1) + tf.reduce_sum(q * q, axis=1))
        loss = mse + penalty
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return mse


# ---- training
order_rng = np.random.default_rng(6)
n = 3000
for epoch in range(EPOCHS):
    order = order_rng.permutation(n)
    total = 0.0
    for start in range(0, n, BATCH):
        idx = order[start : start + BATCH]
        total += float(train_step(users[idx], items[idx], ratings[idx])) * len(idx)
    print(f"epoch {epoch + 1:2d} train mse {total / n:.4f}")

pred, _, _ = model(users[test], items[test])
print(f"test rmse {np.sqrt(np.mean((pred.numpy() - ratings[test]) ** 2)):.4f}")
print(f"mean-only rmse {np.sqrt(np.mean((mean_rating - ratings[test]) ** 2)):.4f}")
