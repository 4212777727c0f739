"""Film ratings, matrix factorisation with biases, low-level TensorFlow."""
import numpy as np
import tensorflow as tf

USERS, FILMS, RANK = 300, 200, 8
BATCH = 256
EPOCHS = 12
LEARNING_RATE = 8.0
REG = 2e-5


def make_ratings(n=12800, seed=31):
    rng = np.random.default_rng(seed)
    p = rng.normal(0, 1, (USERS, 3))
    q = rng.normal(0, 1, (FILMS, 3))
    bu, bi = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, FILMS)
    u = rng.integers(0, USERS, n)
    i = np.minimum((rng.beta(1.2, 2.0, n) * FILMS).astype(int), FILMS - 1)
    r = 3.4 + bu[u] + bi[i] + 0.45 * (p[u] * q[i]).sum(1) + rng.normal(0, 0.3, n)
    return u.astype(np.int32), i.astype(np.int32), np.clip(r, 0.5, 5).astype(np.float32)


class Factorisation(tf.Module):
    def __init__(self, mean):
        super().__init__()
        self.mean = tf.constant(mean, tf.float32)
        self.user = tf.Variable(tf.random.normal((USERS, RANK)))
        self.film = tf.Variable(tf.random.normal((FILMS, RANK)))
        self.user_bias = tf.Variable(tf.zeros((USERS,)))
        self.film_bias = tf.Variable(tf.zeros((FILMS,)))

    def __call__(self, u, i):
        dot = tf.reduce_sum(tf.gather(self.user, u) * tf.gather(self.film, i), axis=1)
        return self.mean + dot + tf.gather(self.user_bias, u) + tf.gather(self.film_bias, i)

    def penalty(self):
        return REG * (tf.reduce_sum(self.user ** 2) + tf.reduce_sum(self.film ** 2))


def make_train_step(model):
    @tf.function(reduce_retracing=True)
    def train_step(u, i, r):
        with tf.GradientTape() as tape:
            error = model(u, i) - r
            tf.debugging.assert_rank(error, 1)
            loss = tf.reduce_mean(error ** 2) + model.penalty()
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            variable.assign_sub(LEARNING_RATE * tf.convert_to_tensor(gradient))
        return loss

    return train_step


def main():
    tf.random.set_seed(6)
    rng = np.random.default_rng(6)
    u, i, r = make_ratings()
    n_train = 10240
    model = Factorisation(r[:n_train].mean())
    train_step = make_train_step(model)

    for epoch in range(EPOCHS):
        order = rng.permutation(n_train)
        losses = []
        for start in range(0, n_train, BATCH):
            idx = order[start:start + BATCH]
            losses.append(float(train_step(u[idx], i[idx], r[idx])))
        print(f"epoch {epoch + 1:2d} objective {np.mean(losses):.4f}")

    predicted = model(u[n_train:], i[n_train:]).numpy()
    rmse = np.sqrt(np.mean((predicted - r[n_train:]) ** 2))
    print(f"test RMSE {rmse:.4f} (ratings' standard deviation {r[n_train:].std():.4f})")


if __name__ == "__main__":
    main()
