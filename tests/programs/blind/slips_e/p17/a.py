"""Tagging padded sequences with causal convolutions, Keras fit with per-step sample weights."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(64)

T, FEATS, TAGS = 24, 4, 3


def tagged(n, seed):
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T, FEATS), dtype="float32")
    tags = np.zeros((n, T), dtype="int32")
    mask = np.zeros((n, T), dtype="float32")
    for i in range(n):
        length = rng.randint(10, T + 1)
        s = rng.randn(length, FEATS)
        score = s[:, 0].copy()
        score[1:] += 0.8 * s[:-1, 1]
        score[3:] -= 0.8 * s[:-3, 2]
        x[i, :length] = s
        tags[i, :length] = np.digitize(score, [-0.6, 0.6])
        mask[i, :length] = 1.0
    return x, tags, mask


x_train, tags_train, mask_train = tagged(720, 5)
x_test, tags_test, mask_test = tagged(240, 6)

model = keras.Sequential([
    keras.Input((T, FEATS)),
    layers.Conv1D(24, 3, padding="causal", activation="relu"),
    layers.Conv1D(24, 3, padding="causal", dilation_rate=2, activation="relu"),
    layers.Conv1D(TAGS, 1),
])
model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=4e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    weighted_metrics=["accuracy"],
)

if __name__ == "__main__":
    # third element = sample weights, zero on the padding
    train = tf.data.Dataset.from_tensor_slices((x_train, tags_train, mask_train))
    train = train.shuffle(len(x_train), reshuffle_each_iteration=True).batch(24)
    model.fit(train, epochs=12, verbose=2)
    loss, acc = model.evaluate(x_test, tags_test, sample_weight=mask_test, batch_size=len(x_test), verbose=0)
    print(f"test loss {loss:.4f}  tag accuracy {acc:.4f}")
