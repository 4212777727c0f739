"""Support-ticket topic classifier: bag of embeddings (Keras)."""
import keras
import numpy as np
from keras import layers

VOCAB, CLASSES, MAXLEN = 500, 4, 32
N_TRAIN, N_TEST = 1900, 400
BATCH = 64
EPOCHS = 12


def make_corpus():
    rng = np.random.RandomState(5)
    background = rng.dirichlet(np.full(VOCAB - 1, 0.3))
    topics = np.stack([rng.dirichlet(np.full(VOCAB - 1, 0.05)) for _ in range(CLASSES)])
    mix = 0.7 * background + 0.3 * topics
    n = N_TRAIN + N_TEST
    labels = rng.randint(0, CLASSES, n)
    tokens = np.zeros((n, MAXLEN), dtype=np.int64)
    for i, c in enumerate(labels):
        length = rng.randint(8, MAXLEN + 1)
        tokens[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=mix[c])
    return tokens[:N_TRAIN], labels[:N_TRAIN], tokens[N_TRAIN:], labels[N_TRAIN:]


def build_model():
    model = keras.Sequential([
        keras.Input((MAXLEN,), dtype="int32"),
        layers.Embedding(VOCAB, 24, mask_zero=True,
                         embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
        layers.GlobalAveragePooling1D(),          # mean over the real tokens only
        layers.Dropout(0.2),
        layers.Dense(32, activation="relu"),
        layers.Dense(CLASSES),
    ])
    steps_per_epoch = -(-N_TRAIN // BATCH)
    schedule = keras.optimizers.schedules.ExponentialDecay(
        0.8, decay_steps=steps_per_epoch, decay_rate=0.9, staircase=True)
    model.compile(
        optimizer=keras.optimizers.SGD(schedule),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy"],
    )
    return model


def main():
    keras.utils.set_random_seed(0)
    x_tr, y_tr, x_te, y_te = make_corpus()
    model = build_model()
    model.fit(x_tr, keras.utils.to_categorical(y_tr, CLASSES),
              batch_size=BATCH, epochs=EPOCHS, verbose=2)
    loss, acc = model.evaluate(x_te, keras.utils.to_categorical(y_te, CLASSES), verbose=0)
    print(f"test loss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
