import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH = 4
EPOCHS = 4
LR = 0.003


def make_data():
    rng = np.random.default_rng(77)
    x = rng.normal(size=(880, 6))
    y = x[:, 0] - 0.8 * x[:, 1] + 0.6 * np.tanh(2 * x[:, 2]) + 0.4 * x[:, 3] + 0.05 * rng.normal(size=880)
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:480], y[:480], x[480:], y[480:]


def build_model():
    return keras.Sequential([
        keras.Input((6,)),
        layers.Dense(32, use_bias=False, kernel_initializer="glorot_uniform"),
        layers.BatchNormalization(momentum=0.95, epsilon=1e-3),
        layers.ReLU(),
        layers.Dense(32, use_bias=False, kernel_initializer="glorot_uniform"),
        layers.BatchNormalization(momentum=0.95, epsilon=1e-3),
        layers.ReLU(),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def compile_model(model):
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.8),
                  loss=keras.losses.MeanSquaredError())


def main():
    keras.utils.set_random_seed(6)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    compile_model(model)
    ds = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(len(xtr), reshuffle_each_iteration=True).batch(BATCH)
    hist = model.fit(ds, epochs=EPOCHS, validation_data=(xte, yte), verbose=0).history
    for i in range(EPOCHS):
        print(f"epoch {i + 1} loss {hist['loss'][i]:.4f} val {hist['val_loss'][i]:.4f}")


if __name__ == "__main__":
    main()
