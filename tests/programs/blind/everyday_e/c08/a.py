"""Film recommender: matrix factorisation with biases, TensorFlow training loop."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)


def make_ratings(n_users=250, n_items=150, n_ratings=10000, rank=3, seed=13):
    rng = np.random.default_rng(seed)
    u = rng.normal(0, 0.55, (n_users, rank))
    v = rng.normal(0, 0.8, (n_items, rank))
    bu = rng.normal(0, 0.35, n_users)
    bi = rng.normal(0, 0.45, n_items)
    popularity = rng.dirichlet(np.full(n_items, 1.5))
    users = rng.integers(0, n_users, n_ratings)
    items = rng.choice(n_items, n_ratings, p=popularity)
    score = 3.4 + bu[users] + bi[items] + (u[users] * v[items]).sum(1)
    ratings = np.clip(np.round(2 * (score + rng.normal(0, 0.35, n_ratings))) / 2, 0.5, 5.0)
    return users.astype("int64"), items.astype("int64"), ratings.astype("float32")


N_USERS, N_ITEMS, DIM = 250, 150, 8
users, items, ratings = make_ratings()
cut = 8500
global_mean = float(ratings[:cut].mean())
train = (users[:cut], items[:cut], ratings[:cut])
test = (users[cut:], items[cut:], ratings[cut:])


class Recommender(keras.Model):
    def __init__(self):
        super().__init__()
        normal = keras.initializers.RandomNormal
        self.user_vec = keras.layers.Embedding(N_USERS, DIM, embeddings_initializer=normal(0.0, 0.1))
        self.item_vec = keras.layers.Embedding(N_ITEMS, DIM, embeddings_initializer=normal(0.0, 0.1))
        self.user_bias = keras.layers.Embedding(N_USERS, 1, embeddings_initializer="zeros")
        self.item_bias = keras.layers.Embedding(N_ITEMS, 1, embeddings_initializer="zeros")

    def call(self, inputs):
        user, item = inputs
        dot = tf.reduce_sum(self.user_vec(user) * self.item_vec(item), axis=-1)
        bias = self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]
        return global_mean + dot + bias


model = Recommender()
model((users[:2], items[:2]))  # build
optimizer = keras.optimizers.SGD(learning_rate=1.0, momentum=0.9, nesterov=False)
optimizer.build(model.trainable_variables)
REG = 2e-5


@tf.function
def train_step(user, item, rating):
    with tf.GradientTape() as tape:
        pred = model((user, item), training=True)
        mse = tf.reduce_mean(tf.square(rating - pred))
        penalty = tf.reduce_sum(model.user_vec.embeddings**2) + tf.reduce_sum(
            model.item_vec.embeddings**2
        )
        loss = mse + REG * penalty
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return mse


dataset = tf.data.Dataset.from_tensor_slices(train).shuffle(cut).batch(250)
for epoch in range(10):
    total = 0.0
    for user, item, rating in dataset:
        total += float(train_step(user, item, rating)) * len(rating)
    pred = model((test[0], test[1]), training=False).numpy()
    rmse = np.sqrt(np.mean((pred - test[2]) ** 2))
    print(f"epoch {epoch + 1:2d}  train mse {total / cut:.4f}  test rmse {rmse:.4f}")
