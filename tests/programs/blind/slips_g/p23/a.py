"""Rating prediction by biased matrix factorisation (TensorFlow, custom loop)."""
import keras
import numpy as np
import tensorflow as tf

N_USERS, N_ITEMS, RANK = 150, 100, 8
N_TRAIN, N_TEST = 6000, 1500
BATCH, EPOCHS = 128, 12


def make_ratings():
    rng = np.random.default_rng(404)
    users = rng.integers(0, N_USERS, N_TRAIN + N_TEST)
    items = rng.integers(0, N_ITEMS, N_TRAIN + N_TEST)
    p, q = rng.normal(size=(N_USERS, 2)), rng.normal(size=(N_ITEMS, 2))
    bu, bi = 0.5 * rng.normal(size=N_USERS), 0.7 * rng.normal(size=N_ITEMS)
    raw = 3.2 + bu[users] + bi[items] + 0.6 * (p[users] * q[items]).sum(1) \
        + 0.3 * rng.normal(size=len(users))
    ratings = np.clip(np.round(2 * raw) / 2, 0.5, 5.0).astype(np.float32)
    users, items = users.astype(np.int64), items.astype(np.int64)
    split = lambda a: (a[:N_TRAIN], a[N_TRAIN:])
    return split(users), split(items), split(ratings)


class Recommender(keras.Model):
    def __init__(self, mean_rating):
        super().__init__()
        normal = lambda: keras.initializers.RandomNormal()
        self.mean_rating = mean_rating
        self.user_vec = keras.layers.Embedding(N_USERS, RANK, embeddings_initializer=normal())
        self.item_vec = keras.layers.Embedding(N_ITEMS, RANK, embeddings_initializer=normal())
        self.user_bias = keras.layers.Embedding(N_USERS, 1, embeddings_initializer="zeros")
        self.item_bias = keras.layers.Embedding(N_ITEMS, 1, embeddings_initializer="zeros")

    def call(self, inputs):
        users, items = inputs
        dot = tf.reduce_sum(self.user_vec(users) * self.item_vec(items), axis=-1)
        bias = self.user_bias(users)[:, 0] + self.item_bias(items)[:, 0]
        return self.mean_rating + bias + dot


def make_optimizer():
    return keras.optimizers.SGD(learning_rate=0.5, momentum=0.8)


def make_train_step(model, optimizer):
    @tf.function
    def train_step(users, items, ratings):
        with tf.GradientTape() as tape:
            error = model((users, items), training=True) - ratings
            loss = tf.reduce_mean(tf.square(error))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    keras.utils.set_random_seed(31)
    (u_tr, u_te), (i_tr, i_te), (r_tr, r_te) = make_ratings()
    model = Recommender(float(r_tr.mean()))
    model((u_tr[:2], i_tr[:2]))
    train_step = make_train_step(model, make_optimizer())
    data = tf.data.Dataset.from_tensor_slices((u_tr, i_tr, r_tr)).shuffle(N_TRAIN).batch(BATCH)

    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for users, items, ratings in data:
            total += float(train_step(users, items, ratings)) * len(ratings)
        print(f"epoch {epoch:2d} train rmse {np.sqrt(total / N_TRAIN):.4f}")

    mse = tf.reduce_mean(tf.square(model((u_te, i_te)) - r_te))
    print(f"test rmse {float(tf.sqrt(mse)):.4f}")


if __name__ == "__main__":
    main()
