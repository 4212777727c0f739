import keras
import numpy as np
import tensorflow as tf

BATCH = 50
EPOCHS = 25
ALPHA = 0.2


def make_data():
    rng = np.random.default_rng(42)
    x = rng.normal(size=(1000, 8))
    y = np.sin(1.5 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.4 * np.abs(x[:, 3]) + 0.1 * rng.normal(size=1000)
    y = (y - y.mean()) / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:800], y[:800], x[800:], y[800:]


def dense(n_in, n_out, activation):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


def build_model():
    return keras.Sequential([
        keras.Input((8,)),
        dense(8, 40, "tanh"),
        dense(40, 20, "tanh"),
        dense(20, 1, None),
    ])


def make_step(model, optimizer):
    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            err = model(xb, training=True)[:, 0] - yb
            loss = 0.5 * tf.reduce_mean(tf.square(err)) + tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(17)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    optimizer = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    step = make_step(model, optimizer)
    ds = tf.data.Dataset.from_tensor_slices((xtr, ytr))
    ds = ds.shuffle(len(xtr), seed=23, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(EPOCHS):
        losses = [float(step(xb, yb)) for xb, yb in ds]
        print(f"epoch {epoch + 1} objective {np.mean(losses):.4f}")
    print("train mse %.4f" % np.mean((model(xtr, training=False).numpy()[:, 0] - ytr) ** 2))
    print("test mse %.4f" % np.mean((model(xte, training=False).numpy()[:, 0] - yte) ** 2))


if __name__ == "__main__":
    main()
