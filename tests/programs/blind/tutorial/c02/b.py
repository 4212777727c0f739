"""Binary sentiment classification of multi-hot encoded reviews, Keras with an EarlyStopping callback."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

VOCAB = 400
N_TRAIN, N_VAL, N_TEST = 1250, 400, 400


def make_reviews():
    rng = np.random.RandomState(5)
    n = N_TRAIN + N_VAL + N_TEST
    base = 1.0 / np.arange(3, VOCAB + 3)
    tilt = rng.normal(0.0, 0.45, size=VOCAB)
    p_pos = base * np.exp(tilt)
    p_neg = base * np.exp(-tilt)
    p_pos /= p_pos.sum()
    p_neg /= p_neg.sum()
    y = rng.randint(0, 2, size=n)
    x = np.zeros((n, VOCAB), dtype=np.float32)
    for i in range(n):
        length = rng.randint(15, 60)
        words = rng.choice(VOCAB, size=length, p=p_pos if y[i] else p_neg)
        x[i, words] = 1.0
    cut = N_TRAIN + N_VAL
    return (x[:N_TRAIN], y[:N_TRAIN]), (x[N_TRAIN:cut], y[N_TRAIN:cut]), (x[cut:], y[cut:])


def dense(fan_in, units, activation=None):
    """Dense layer whose kernel and bias both come from U(-r, r), r = sqrt(6 / (in + out))."""
    r = float(np.sqrt(6.0 / (fan_in + units)))
    return keras.layers.Dense(units, activation=activation,
                              kernel_initializer=keras.initializers.RandomUniform(-r, r),
                              bias_initializer=keras.initializers.RandomUniform(-r, r))


def build():
    return keras.Sequential([
        keras.Input((VOCAB,)),
        dense(VOCAB, 16, "relu"),
        dense(16, 16, "relu"),
        dense(16, 1),
    ])


def main():
    keras.utils.set_random_seed(11)
    train, val, test = make_reviews()
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
    )
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", min_delta=0.0, patience=3,
                                         restore_best_weights=True, verbose=1)
    batches = tf.data.Dataset.from_tensor_slices(train).shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(100)
    model.fit(batches, epochs=30, validation_data=val, callbacks=[stop], verbose=2)
    loss, acc = model.evaluate(*test, verbose=0)
    print(f"test loss {loss:.4f}  test acc {acc:.4f}")


if __name__ == "__main__":
    main()
