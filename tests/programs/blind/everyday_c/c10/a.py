"""Machine monitoring: one GRU, two heads (fault class and wear), Keras fit."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers, regularizers

STEPS, SENSORS, FAULTS = 20, 4, 3
BATCH_SIZE = 64
EPOCHS = 10


def simulate_machines(n=2000, seed=4):
    rng = np.random.default_rng(seed)
    fault = rng.integers(0, FAULTS, n)
    wear = rng.uniform(0, 1, n)
    t = np.arange(STEPS) / STEPS
    x = rng.normal(0, 0.5, (n, STEPS, SENSORS))
    x[:, :, 0] += wear[:, None] * 2 * t
    x[:, :, 1] += 0.8 * wear[:, None] ** 2
    x[:, :, 2] += np.where(fault[:, None] == 1, np.sin(2 * np.pi * 3 * t), 0)
    x[:, :, 3] += np.where(fault[:, None] == 2, 1.2 * (t > 0.5), 0)
    return x.astype(np.float32), fault.astype(np.int64), wear.astype(np.float32)[:, None]


def build_model():
    inputs = keras.Input((STEPS, SENSORS))
    x = layers.GRU(24, reset_after=True)(inputs)
    x = layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(1e-3))(x)
    x = layers.Dropout(0.2)(x)
    fault = layers.Dense(FAULTS, name="fault")(x)
    wear = layers.Dense(1, name="wear")(x)
    return keras.Model(inputs, {"fault": fault, "wear": wear})


def main():
    keras.utils.set_random_seed(55)
    x, fault, wear = simulate_machines()
    x_test = x[1600:]
    train = tf.data.Dataset.from_tensor_slices(
        (x[:1600], {"fault": fault[:1600], "wear": wear[:1600]})
    ).shuffle(1600, reshuffle_each_iteration=True).batch(BATCH_SIZE)

    model = build_model()
    schedule = keras.optimizers.schedules.ExponentialDecay(
        5e-3, decay_steps=50, decay_rate=0.8, staircase=True
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=schedule),
        loss={
            "fault": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "wear": keras.losses.MeanSquaredError(),
        },
        loss_weights={"fault": 1.0, "wear": 4.0},
    )
    history = model.fit(train, epochs=EPOCHS, verbose=0)
    for epoch, loss in enumerate(history.history["loss"], 1):
        print(f"epoch {epoch:2d}  total loss {loss:.4f}")

    out = model.predict(x_test, batch_size=400, verbose=0)
    accuracy = (out["fault"].argmax(-1) == fault[1600:]).mean()
    rmse = np.sqrt(((out["wear"] - wear[1600:]) ** 2).mean())
    print(f"test fault accuracy {accuracy:.4f}, wear RMSE {rmse:.4f}")


if __name__ == "__main__":
    main()
