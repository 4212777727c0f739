"""Load forecasting with an LSTM: TensorFlow, custom training loop."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

WINDOW = 20
BATCH_SIZE = 40
EPOCHS = 10


def make_windows():
    """One-step-ahead windows over a noisy daily/weekly load curve."""
    rng = np.random.default_rng(555)
    t = np.arange(1520)
    load = (
        np.sin(2 * np.pi * t / 24)
        + 0.5 * np.sin(2 * np.pi * t / 168 + 0.7)
        + 0.25 * np.sin(2 * np.pi * t / 24) * np.cos(2 * np.pi * t / 12)
        + 0.08 * rng.normal(size=len(t))
    )
    load = ((load - load[:1200].mean()) / load[:1200].std()).astype(np.float32)
    x = np.stack([load[i : i + WINDOW] for i in range(len(load) - WINDOW)])[..., None]
    y = load[WINDOW:, None]
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


def build_model():
    return tf.keras.Sequential(
        [
            tf.keras.Input((WINDOW, 1)),
            tf.keras.layers.LSTM(24),
            tf.keras.layers.Dense(1),
        ]
    )


def make_optimizer():
    return tf.keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


huber = tf.keras.losses.Huber(delta=1.0)


def make_train_step(model, optimizer):
    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = huber(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    tf.keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = make_windows()
    dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
    dataset = dataset.shuffle(len(x_train)).batch(BATCH_SIZE).prefetch(1)

    model = build_model()
    train_step = make_train_step(model, make_optimizer())
    for epoch in range(EPOCHS):
        losses = [float(train_step(x, y)) for x, y in dataset]
        print(f"epoch {epoch + 1:2d} train huber {np.mean(losses):.5f}")

    pred = model(x_test, training=False).numpy()
    print(f"test huber {float(huber(y_test, pred)):.5f}")
    print(f"test rmse  {np.sqrt(np.mean((pred - y_test) ** 2)):.5f}")


if __name__ == "__main__":
    main()
