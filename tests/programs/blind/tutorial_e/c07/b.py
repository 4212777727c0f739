"""Character-level text model with a GRU (Keras layers, GradientTape)."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers


def make_text(sentences=700):
    rng = np.random.default_rng(5)
    who = ["the cat", "a dog", "the bird", "my aunt", "a fox"]
    does = ["sees", "likes", "hears", "follows", "finds"]
    what = ["the moon", "a stone", "the river", "an apple", "the road"]
    parts = []
    for _ in range(sentences):
        k = rng.integers(5)
        verb = does[k] if rng.random() < 0.7 else does[rng.integers(5)]
        parts.append(f"{who[k]} {verb} {what[rng.integers(5)]}.")
    return " ".join(parts) + " "


TEXT = make_text()
CHARS = sorted(set(TEXT))
INDEX = {c: k for k, c in enumerate(CHARS)}
LENGTH, UNITS, BATCH, EPOCHS = 25, 48, 32, 10


def make_sequences():
    ids = np.array([INDEX[c] for c in TEXT])
    n = (len(ids) - 1) // LENGTH
    x = ids[:n * LENGTH].reshape(n, LENGTH)
    y = ids[1:n * LENGTH + 1].reshape(n, LENGTH)
    onehot = np.eye(len(CHARS), dtype="float32")[x]
    cut = n - 100
    return onehot[:cut], y[:cut], onehot[cut:], y[cut:]


def build(n_chars):
    inputs = keras.Input((None, n_chars))
    h = layers.GRU(UNITS, return_sequences=True, reset_after=True)(inputs)
    return keras.Model(inputs, layers.Dense(n_chars)(h))


def generate(model, start, n):
    text = start
    for _ in range(n):
        ids = [INDEX[c] for c in text[-LENGTH:]]
        x = np.eye(len(CHARS), dtype="float32")[ids][None]
        text += CHARS[int(np.argmax(model(x)[0, -1]))]
    return text


def main():
    keras.utils.set_random_seed(77)
    xtr, ytr, xte, yte = make_sequences()
    model = build(len(CHARS))
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)   # mean over batch and time
    opt = keras.optimizers.AdamW(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12,
                                 weight_decay=0.01)

    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    rng = np.random.default_rng(77)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(xtr))
        total = 0.0
        for start in range(0, len(xtr), BATCH):
            idx = order[start:start + BATCH]
            total += float(step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))) * len(idx)
        print(f"epoch {epoch + 1}: {total / len(xtr):.4f}")

    print(f"held-out loss {float(loss_fn(yte, model(xte, training=False))):.4f}")
    print(generate(model, "the cat ", 60))


if __name__ == "__main__":
    main()
