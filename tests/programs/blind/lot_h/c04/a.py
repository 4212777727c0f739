import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers

BATCH = 48
EPOCHS = 12


def make_data():
    rng = np.random.default_rng(99)
    centers = rng.normal(size=(6, 2, 10)) * 1.3
    y = rng.integers(0, 6, size=1500)
    side = rng.integers(0, 2, size=1500)
    x = centers[y, side] + rng.normal(size=(1500, 10))
    x, y = x.astype("float32"), y.astype("int32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


def build_model():
    reg = regularizers.L2(5e-4)
    return keras.Sequential([
        keras.Input((10,)),
        layers.Dense(64, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=reg),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.Dropout(0.2),
        layers.Dense(32, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=reg),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.Dropout(0.2),
        layers.Dense(6, kernel_initializer="glorot_uniform"),
    ])


def main():
    keras.utils.set_random_seed(21)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    lr = keras.optimizers.schedules.ExponentialDecay(0.003, decay_steps=50, decay_rate=0.8, staircase=False)
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    train = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(len(xtr)).batch(BATCH)
    model.fit(train, epochs=EPOCHS, verbose=2)
    logits = model.predict(xte, verbose=0)
    ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(yte, logits)
    print("test ce %.4f acc %.4f" % (float(ce), np.mean(logits.argmax(1) == yte)))


if __name__ == "__main__":
    main()
