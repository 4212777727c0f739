import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH = 40
EPOCHS = 10
LR = 0.01


def make_data():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1000, 10))
    w = rng.normal(size=(10, 1))
    y = x @ w / np.linalg.norm(w) + 0.3 * (np.abs(x[:, :1]) - 0.8) + 0.05 * rng.normal(size=(1000, 1))
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:800], y[:800], x[800:], y[800:]


def build_model(width=8, depth=3):
    model = keras.Sequential([keras.Input((10,))])
    for _ in range(depth):
        model.add(layers.Dense(width, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
        model.add(layers.PReLU())
    model.add(layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
    return model


def compile_model(model):
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.0),
                  loss=keras.losses.MeanSquaredError())


def main():
    keras.utils.set_random_seed(1003)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    train = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(len(xtr)).batch(BATCH)
    hist = model.fit(train, epochs=EPOCHS, verbose=0)
    for i, v in enumerate(hist.history["loss"]):
        print("epoch %d loss %.4f" % (i + 1, v))
    print("test loss %.4f" % model.evaluate(xte, yte, verbose=0))


if __name__ == "__main__":
    main()
