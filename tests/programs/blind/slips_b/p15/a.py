"""Matrix-factorisation recommender in Keras."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

N_USERS, N_ITEMS, DIM = 200, 150, 8
BATCH_SIZE, EPOCHS = 128, 12
L2 = 2e-5  # penalty L2 * sum(w^2) on both factor tables


def make_ratings():
    rng = np.random.default_rng(606)
    user_f = rng.normal(size=(N_USERS, 3))
    item_f = rng.normal(size=(N_ITEMS, 3))
    pairs = rng.choice(N_USERS * N_ITEMS, size=7000, replace=False)
    users, items = pairs // N_ITEMS, pairs % N_ITEMS
    raw = (
        3.5
        + 0.4 * (user_f[users] * item_f[items]).sum(1)
        + 0.3 * rng.normal(size=N_USERS)[users]
        + 0.4 * rng.normal(size=N_ITEMS)[items]
        + 0.2 * rng.normal(size=len(pairs))
    )
    ratings = np.clip(np.round(raw * 2) / 2, 0.5, 5.0).astype("float32")
    return users.astype("int64"), items.astype("int64"), ratings


def factors(n, name):
    return layers.Embedding(
        n,
        DIM,
        embeddings_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.1),
        embeddings_regularizer=keras.regularizers.L2(L2),
        name=name,
    )


def build_model():
    user = keras.Input((), dtype="int64", name="user")
    item = keras.Input((), dtype="int64", name="item")
    dot = layers.Dot(axes=1)([factors(N_USERS, "user_factors")(user), factors(N_ITEMS, "item_factors")(item)])
    user_bias = layers.Embedding(N_USERS, 1, embeddings_initializer="zeros", name="user_bias")(user)
    item_bias = layers.Embedding(N_ITEMS, 1, embeddings_initializer="zeros", name="item_bias")(item)
    rating = layers.Add()([dot, user_bias, item_bias])
    model = keras.Model([user, item], rating)
    model.compile(optimizer=keras.optimizers.SGD(), loss="mse")
    return model


def main():
    keras.utils.set_random_seed(0)
    users, items, ratings = make_ratings()
    mean = ratings[:6000].mean()
    target = ratings - mean
    model = build_model()
    model.fit(
        [users[:6000], items[:6000]], target[:6000, None], batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0
    )
    for name, part in (("train", slice(0, 6000)), ("test", slice(6000, None))):
        pred = model.predict([users[part], items[part]], batch_size=1000, verbose=0).ravel()
        print(f"{name} rmse {np.sqrt(np.mean((pred - target[part]) ** 2)):.4f}")


if __name__ == "__main__":
    main()
