import keras
import numpy as np
import tensorflow as tf
from keras import layers

T, H = 16, 32
N, BATCH, EPOCHS = 800, 40, 7


def make_data():
    rng = np.random.default_rng(31)
    n = N + 200
    x = 0.5 * rng.normal(size=(n, T, 2))
    x[:, 0] *= 2.0
    y = np.tanh(x[:, 0].sum(1) + x[:, 1].sum(1))
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


def build_model():
    return keras.Sequential([
        keras.Input((T, 2)),
        layers.GRU(H),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def compile_model(model):
    opt = keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    model.compile(optimizer=opt, loss=keras.losses.MeanSquaredError())


def main():
    keras.utils.set_random_seed(1004)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    ds = tf.data.Dataset.from_tensor_slices((xtr, ytr[:, None])).shuffle(N).batch(BATCH)
    hist = model.fit(ds, epochs=EPOCHS, verbose=0)
    for i, v in enumerate(hist.history["loss"]):
        print("epoch %d mse %.4f" % (i + 1, v))
    print("test mse %.4f" % model.evaluate(xte, yte[:, None], verbose=0))


if __name__ == "__main__":
    main()
