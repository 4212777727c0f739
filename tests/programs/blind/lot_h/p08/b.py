import keras
import numpy as np
import tensorflow as tf

T, H = 22, 24
N, BATCH, EPOCHS = 800, 40, 12
LR = 0.003


def make_data():
    rng = np.random.default_rng(64)
    n = N + 200
    x = 0.4 * rng.normal(size=(n, T, 2))
    x[:, :3, 0] = rng.normal(size=(n, 3))
    y = x[:, :3, 0].sum(1, keepdims=True) / np.sqrt(3)
    x, y = x.astype("float32"), y.astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


def build_model():
    return keras.Sequential([
        keras.Input((T, 2)),
        keras.layers.LSTM(H, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal"),
        keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def make_step(model):
    optimizer = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    criterion = keras.losses.MeanSquaredError()

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = criterion(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(33)
    rng = np.random.default_rng(33)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    step = make_step(model)
    for epoch in range(EPOCHS):
        order = rng.permutation(N)
        total = 0.0
        for i in range(0, N, BATCH):
            idx = order[i:i + BATCH]
            total += float(step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))) * len(idx)
        print("epoch %2d loss %.4f" % (epoch + 1, total / N))
    print("test loss %.4f" % np.mean((model(xte, training=False).numpy() - yte) ** 2))


if __name__ == "__main__":
    main()
