"""Movie recommender: dot product of two embeddings plus biases, Keras functional model and fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, regularizers

N_USERS, N_ITEMS, K = 120, 80, 6


def make_ratings():
    rng = np.random.RandomState(31)
    p, q = rng.normal(size=(N_USERS, 3)), rng.normal(size=(N_ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, N_USERS), rng.normal(0, 0.5, N_ITEMS)
    score = 3.2 + bu[:, None] + bi[None] + 0.55 * p @ q.T + rng.normal(0, 0.25, (N_USERS, N_ITEMS))
    stars = np.clip(np.rint(2 * score) / 2, 0.5, 5.0).astype("float32")
    cells = rng.permutation(N_USERS * N_ITEMS)[:5200]
    users, items = (cells // N_ITEMS).astype("int64"), (cells % N_ITEMS).astype("int64")
    ratings = stars[users, items]
    return (users[:4600], items[:4600], ratings[:4600]), (users[4600:], items[4600:], ratings[4600:])


def build(mean):
    user = keras.Input((), dtype="int64", name="user")
    item = keras.Input((), dtype="int64", name="item")

    def factors(n, name):
        return layers.Embedding(n, K, name=name, embeddings_regularizer=regularizers.L2(5e-5),
                                embeddings_initializer=initializers.RandomNormal(mean=0.0, stddev=0.3))

    def bias(n, name):
        return layers.Embedding(n, 1, name=name, embeddings_initializer="zeros")

    dot = layers.Dot(axes=1)([factors(N_USERS, "p")(user), factors(N_ITEMS, "q")(item)])
    out = layers.Add()([dot, bias(N_USERS, "bu")(user), bias(N_ITEMS, "bi")(item)])
    out = layers.Rescaling(1.0, offset=mean)(out)
    return keras.Model([user, item], out)


def main():
    keras.utils.set_random_seed(4)
    (u, i, r), (ut, it, rt) = make_ratings()
    mean = float(r.mean())
    model = build(mean)
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=6.0, momentum=0.0),
                  loss=keras.losses.MeanSquaredError(),
                  metrics=[keras.metrics.MeanSquaredError(name="mse"),
                           keras.metrics.RootMeanSquaredError(name="rmse")])
    # ratings as a column, like the output of the model
    train = tf.data.Dataset.from_tensor_slices(((u, i), r[:, None])).shuffle(len(r)).batch(100)
    model.fit(train, epochs=12, validation_data=((ut, it), rt[:, None]), verbose=2)
    result = model.evaluate((ut, it), rt[:, None], verbose=0, return_dict=True)
    print(f"test rmse {result['rmse']:.4f}   always the mean: {np.sqrt(np.mean((rt - mean) ** 2)):.4f}")


if __name__ == "__main__":
    main()
