import keras
import numpy as np
import tensorflow as tf
from keras import layers

T, F, H = 16, 3, 20
BATCH = 40
EPOCHS = 15
N = 800


def make_data():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(N + 200, T, F)).astype("float32")
    decay = 0.85 ** np.arange(T)[::-1]
    s = (x[:, :, 0] * decay).sum(1) + 0.7 * np.tanh(x[:, -4:, 1].sum(1)) * x[:, -1, 2]
    y = (s / s.std()).astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


def build_model():
    return keras.Sequential([
        keras.Input((T, F)),
        layers.LSTM(H, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                    bias_initializer="zeros", unit_forget_bias=True),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def compile_model(model):
    steps = EPOCHS * (N // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=steps, alpha=0.0)
    optimizer = keras.optimizers.AdamW(learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12,
                                       weight_decay=0.02, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=keras.losses.MeanSquaredError())


def main():
    keras.utils.set_random_seed(0)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    ds = tf.data.Dataset.from_tensor_slices((xtr, ytr[:, None])).shuffle(N).batch(BATCH)
    hist = model.fit(ds, epochs=EPOCHS, verbose=0)
    for i, v in enumerate(hist.history["loss"]):
        print("epoch", i + 1, "mse", round(v, 4))
    print("test mse", round(float(np.mean((model.predict(xte, verbose=0)[:, 0] - yte) ** 2)), 4))


if __name__ == "__main__":
    main()
