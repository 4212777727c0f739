# Matrix factorisation with biases, Keras
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, regularizers

N_USERS, N_ITEMS = 160, 120
N_TRAIN = 7000
DIM = 6


def make_ratings(seed=9):
    """Ratings from 1 to 5 with taste factors; every pair is rated at most once."""
    rng = np.random.default_rng(seed)
    p = rng.normal(0, 0.8, (N_USERS, 3))
    q = rng.normal(0, 0.8, (N_ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, N_USERS), rng.normal(0, 0.5, N_ITEMS)
    cells = rng.permutation(N_USERS * N_ITEMS)[:8000]
    users, items = cells // N_ITEMS, cells % N_ITEMS
    raw = 3.4 + bu[users] + bi[items] + (p[users] * q[items]).sum(1) + rng.normal(0, 0.4, len(cells))
    ratings = np.clip(np.round(2 * raw) / 2, 1, 5).astype(np.float32)
    return users.astype(np.int64), items.astype(np.int64), ratings


class MatrixFactorization(keras.Model):
    def __init__(self, mean_rating):
        super().__init__()
        self.user_factors = self.factors(N_USERS)
        self.item_factors = self.factors(N_ITEMS)
        self.user_bias = layers.Embedding(N_USERS, 1, embeddings_initializer="zeros")
        self.item_bias = layers.Embedding(N_ITEMS, 1, embeddings_initializer="zeros")
        self.mean_rating = mean_rating

    @staticmethod
    def factors(count):
        return layers.Embedding(
            count,
            DIM,
            embeddings_initializer=initializers.RandomNormal(mean=0.0, stddev=0.1),
            embeddings_regularizer=regularizers.L2(1e-4),
        )

    def call(self, inputs):
        user, item = inputs["user"], inputs["item"]
        dot = keras.ops.sum(self.user_factors(user) * self.item_factors(item), axis=-1, keepdims=True)
        return self.mean_rating + dot + self.user_bias(user) + self.item_bias(item)


def main():
    keras.utils.set_random_seed(4)
    users, items, ratings = make_ratings()
    mean_rating = float(ratings[:N_TRAIN].mean())

    train = tf.data.Dataset.from_tensor_slices(
        ({"user": users[:N_TRAIN], "item": items[:N_TRAIN]}, ratings[:N_TRAIN, None])
    )
    train = train.shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(256)

    model = MatrixFactorization(mean_rating)
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=8.0),
        loss="mean_squared_error",
        metrics=["mse"],
    )
    history = model.fit(train, epochs=20, verbose=0)
    for epoch in (4, 8, 12, 16, 20):
        print(f"epoch {epoch}: train mse {history.history['mse'][epoch - 1]:.4f}")

    pred = model.predict({"user": users[N_TRAIN:], "item": items[N_TRAIN:]}, batch_size=1000, verbose=0)
    rmse = np.sqrt(np.mean((pred[:, 0] - ratings[N_TRAIN:]) ** 2))
    base = np.sqrt(np.mean((mean_rating - ratings[N_TRAIN:]) ** 2))
    print(f"test rmse {rmse:.4f} (constant prediction {base:.4f})")


if __name__ == "__main__":
    main()
