"""Fault tagging in sessions of variable length: bidirectional GRU (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

MAX_STEPS, FEATURES = 14, 4
BATCH_SIZE = 50
EPOCHS = 10


def make_sessions():
    """Machine sessions of different length; a step is labelled 1 while the machine is in fault."""
    rng = np.random.default_rng(2718)
    n = 1300
    lengths = rng.integers(7, MAX_STEPS + 1, n)
    x = np.zeros((n, MAX_STEPS, FEATURES), dtype=np.float32)
    y = np.zeros((n, MAX_STEPS), dtype=np.float32)
    for k, length in enumerate(lengths):
        fault = np.zeros(length)
        state = 0.0
        event = np.zeros(length)
        for t in range(length):
            if rng.random() < 0.2:
                state = 1.0 - state
                event[t] = 1.0 if state else -1.0
            fault[t] = state
        noise = rng.normal(size=(length, FEATURES))
        x[k, :length, 0] = event + 0.25 * noise[:, 0]
        x[k, :length, 1] = 0.4 * fault + 0.6 * noise[:, 1]
        x[k, :length, 2] = np.roll(event, -1) * 0.5 + 0.5 * noise[:, 2]
        x[k, :length, 3] = 0.8 * noise[:, 3]
        y[k, :length] = fault
    mask = (np.arange(MAX_STEPS)[None, :] < lengths[:, None]).astype(np.float32)
    return (x[:1000], y[:1000], mask[:1000]), (x[1000:], y[1000:], mask[1000:])


def build_model():
    inputs = keras.Input((MAX_STEPS, FEATURES))
    h = layers.Masking(mask_value=0.0)(inputs)  # padded steps are all zero
    h = layers.Bidirectional(layers.GRU(12, return_sequences=True))(h)
    logits = layers.Dense(1)(h)
    model = keras.Model(inputs, logits)
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=100, decay_rate=0.5)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.99, epsilon=1e-12),
        # mean over the real steps of the batch, not over the padded ones
        loss=keras.losses.BinaryCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
    )
    return model


def main():
    keras.utils.set_random_seed(14)
    (x, y, mask), (x_test, y_test, mask_test) = make_sessions()
    model = build_model()
    model.fit(
        x, y[..., None], sample_weight=mask, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=True, verbose=2
    )
    logits = model.predict(x_test, verbose=0)[..., 0]
    real = mask_test > 0
    bce = np.mean(np.logaddexp(0, logits[real]) - y_test[real] * logits[real])
    print(f"test loss {bce:.4f}")
    print(f"test step accuracy {np.mean((logits[real] > 0) == (y_test[real] == 1)):.4f}")


if __name__ == "__main__":
    main()
