"""Character-level text generation with a GRU, in the manner of the classic Keras example."""
import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

SEQ, STEP, UNITS = 24, 5, 48
BATCH, EPOCHS = 50, 10


def make_text(n_sentences=320):
    rng = np.random.RandomState(8)
    who = ["the cat", "a dog", "my friend", "the old man", "one bird", "a child"]
    verb = ["sees", "likes", "follows", "finds", "calls"]
    what = ["the moon", "a red ball", "the river", "some bread", "a small house", "the sun"]
    when = ["", " today", " at night", " again", " in spring"]
    return "".join(f"{who[rng.randint(6)]} {verb[rng.randint(5)]} {what[rng.randint(6)]}{when[rng.randint(5)]}. "
                   for _ in range(n_sentences))


def make_data():
    text = make_text()
    chars = sorted(set(text))
    ids = np.array([chars.index(c) for c in text])
    starts = np.arange(0, len(ids) - SEQ, STEP)
    x = np.stack([ids[s:s + SEQ] for s in starts])
    y = np.stack([ids[s + 1:s + SEQ + 1] for s in starts])
    x, y = x[:1800], y[:1800]
    one_hot = np.eye(len(chars), dtype="float32")[x]
    return one_hot[:1500], y[:1500], one_hot[1550:], y[1550:], chars


def build(n_chars):
    return keras.Sequential([
        keras.Input((SEQ, n_chars)),
        keras.layers.GRU(UNITS, return_sequences=True, reset_after=True,
                         kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal"),
        keras.layers.Dense(n_chars),
    ])


def sample(model, chars, seed_text, n=60, temperature=0.5):
    rng = np.random.RandomState(0)
    window = seed_text
    for _ in range(n):
        x = np.eye(len(chars), dtype="float32")[[chars.index(c) for c in window[-SEQ:]]]
        logits = model(x[None], training=False).numpy()[0, -1] / temperature
        p = np.exp(logits - logits.max())
        window += chars[rng.choice(len(chars), p=p / p.sum())]
    return window


def main():
    # initialisers take their seeds from Python's generator; the shuffling of fit is left unseeded,
    # with a TensorFlow seed it would repeat one order in every epoch
    random.seed(5)
    x, y, xt, yt, chars = make_data()
    model = build(len(chars))
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=0.004, rho=0.9, momentum=0.0, epsilon=1e-30),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, validation_data=(xt, yt), verbose=2)
    print("test loss per character %.4f" % model.evaluate(xt, yt, verbose=0))
    print(sample(model, chars, make_text()[:SEQ]))


if __name__ == "__main__":
    main()
