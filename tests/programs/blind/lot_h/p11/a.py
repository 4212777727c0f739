import keras
import numpy as np

BATCH = 32
EPOCHS = 12
LR = 0.002
CLASSES = 5


def make_data():
    rng = np.random.default_rng(55)
    centers = 1.4 * rng.normal(size=(CLASSES, 12))
    x = np.concatenate([c + rng.normal(size=(240, 12)) for c in centers]).astype("float32")
    y = np.repeat(np.arange(CLASSES), 240)
    xte = np.concatenate([c + rng.normal(size=(60, 12)) for c in centers]).astype("float32")
    yte = np.repeat(np.arange(CLASSES), 60)
    return x, y, xte, yte


def dense(n_in, n_out, seed, activation=None):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(n_out, activation=activation,
                              kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed),
                              bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed + 1))


def build_model():
    return keras.Sequential([keras.Input((12,)), dense(12, 32, 100, "relu"), dense(32, CLASSES, 200)])


def main():
    x, y, xte, yte = make_data()
    model = build_model()
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    hist = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, validation_split=0.2, verbose=0).history
    print("train loss first %.4f last %.4f" % (hist["loss"][0], hist["loss"][-1]))
    print("validation loss %.4f" % hist["val_loss"][-1])
    print("test loss %.4f" % model.evaluate(xte, yte, verbose=0))
    print("test acc %.4f" % np.mean(model.predict(xte, verbose=0).argmax(1) == yte))


if __name__ == "__main__":
    main()
