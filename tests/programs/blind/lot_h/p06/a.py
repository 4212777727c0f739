import keras
import numpy as np
from keras import initializers, layers, regularizers

BATCH = 32
EPOCHS = 30
LR = 0.01
WD = 0.01


def make_data():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(720, 8))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.1 * rng.normal(size=720)
    y = (y - y[:320].mean()) / y[:320].std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:320], y[:320], x[320:], y[320:]


def build_model():
    return keras.Sequential([
        keras.Input((8,)),
        layers.Dense(40, activation="relu", kernel_initializer=initializers.HeUniform(seed=1),
                     kernel_regularizer=regularizers.L2(WD)),
        layers.Dense(20, activation="relu", kernel_initializer=initializers.HeUniform(seed=2),
                     kernel_regularizer=regularizers.L2(WD)),
        layers.Dense(1, kernel_initializer=initializers.GlorotUniform(seed=3), kernel_regularizer=regularizers.L2(WD)),
    ])


def compile_model(model):
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.9), loss="mean_squared_error")


def mse(model, x, y):
    return float(np.mean((model.predict(x, verbose=0) - y) ** 2))


def main():
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    model.fit(xtr, ytr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    print("train mse %.4f" % mse(model, xtr, ytr))
    print("test mse %.4f" % mse(model, xte, yte))


if __name__ == "__main__":
    main()
