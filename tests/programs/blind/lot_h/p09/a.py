import keras
import numpy as np
import tensorflow as tf

BATCH = 50
EPOCHS = 30
LR = 0.1
PATIENCE = 2
FACTOR = 0.3
THRESHOLD = 0.005


def make_data():
    rng = np.random.default_rng(17)
    x = rng.normal(size=(800, 5))
    y = np.tanh(x[:, 0] + 0.5 * x[:, 1]) + 0.3 * x[:, 2] * x[:, 3] + 0.02 * rng.normal(size=800)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:600], y[:600], x[600:], y[600:]


def build_model():
    return keras.Sequential([
        keras.Input((5,)),
        keras.layers.Dense(48, activation="tanh", kernel_initializer="glorot_uniform"),
        keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform"),
        keras.layers.Dense(1, kernel_initializer="glorot_uniform"),
    ])


def main():
    keras.utils.set_random_seed(3)
    xtr, ytr, xva, yva = make_data()
    model = build_model()
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=LR), loss="mse")
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=FACTOR, patience=PATIENCE,
                                                min_delta=THRESHOLD, cooldown=0, min_lr=0.0, mode="min")
    ds = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(len(xtr), reshuffle_each_iteration=True).batch(BATCH)
    hist = model.fit(ds, epochs=EPOCHS, validation_data=(xva, yva), callbacks=[plateau], verbose=0).history
    for i in range(EPOCHS):
        print("epoch %d loss %.4f val %.4f" % (i + 1, hist["loss"][i], hist["val_loss"][i]))


if __name__ == "__main__":
    main()
