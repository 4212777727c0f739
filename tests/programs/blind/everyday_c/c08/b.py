"""Film ratings, matrix factorisation with biases, Keras functional API."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

USERS, FILMS, RANK = 300, 200, 8
BATCH = 256
EPOCHS = 12


def make_ratings(n=12800, seed=31):
    rng = np.random.default_rng(seed)
    p = rng.normal(0, 1, (USERS, 3))
    q = rng.normal(0, 1, (FILMS, 3))
    bu, bi = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, FILMS)
    u = rng.integers(0, USERS, n)
    i = np.minimum((rng.beta(1.2, 2.0, n) * FILMS).astype(int), FILMS - 1)
    r = 3.4 + bu[u] + bi[i] + 0.45 * (p[u] * q[i]).sum(1) + rng.normal(0, 0.3, n)
    return u.astype(np.int32), i.astype(np.int32), np.clip(r, 0.5, 5).astype(np.float32)


def factors(count, ids, name):
    return layers.Embedding(
        count, RANK,
        embeddings_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.1),
        embeddings_regularizer=keras.regularizers.L2(2e-5),
        name=name,
    )(ids)


def bias(count, ids, name):
    return layers.Embedding(count, 1, embeddings_initializer="zeros", name=name)(ids)


def build_model(mean):
    user = keras.Input((), dtype="int32", name="user")
    film = keras.Input((), dtype="int32", name="film")
    dot = layers.Dot(axes=1)([
        factors(USERS, user, "user_factors"),
        factors(FILMS, film, "film_factors"),
    ])
    rating = layers.Add()([
        dot, bias(USERS, user, "user_bias"), bias(FILMS, film, "film_bias"),
    ])
    rating = layers.Rescaling(scale=1.0, offset=float(mean))(rating)
    model = keras.Model({"user": user, "film": film}, rating)
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=8.0, momentum=0.0),
        loss=keras.losses.MeanSquaredError(),
    )
    return model


def main():
    keras.utils.set_random_seed(6)
    u, i, r = make_ratings()
    n_train = 10240
    train = tf.data.Dataset.from_tensor_slices(
        ({"user": u[:n_train], "film": i[:n_train]}, r[:n_train, None])
    )
    train = train.shuffle(n_train, reshuffle_each_iteration=True).batch(BATCH)
    test = {"user": u[n_train:], "film": i[n_train:]}

    model = build_model(r[:n_train].mean())
    history = model.fit(train, epochs=EPOCHS, verbose=0)
    for epoch, loss in enumerate(history.history["loss"]):
        print(f"epoch {epoch + 1:2d} objective {loss:.4f}")

    predicted = model.predict(test, batch_size=BATCH, verbose=0).ravel()
    rmse = np.sqrt(np.mean((predicted - r[n_train:]) ** 2))
    print(f"test RMSE {rmse:.4f} (ratings' standard deviation {r[n_train:].std():.4f})")


if __name__ == "__main__":
    main()
