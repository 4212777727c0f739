import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

BATCH = 128
EPOCHS = 35
LR = 0.02


def make_data():
    d = load_breast_cancer()
    x, y = d.data, d.target
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], y[order]
    x = (x - x[:380].mean(0)) / x[:380].std(0)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:380], y[:380], x[380:], y[380:]


def build_model():
    return keras.Sequential([
        keras.Input((30,)),
        keras.layers.Dense(16, activation="sigmoid", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(50)
    rng = np.random.default_rng(50)
    xtr, ytr, xte, yte = make_data()
    model = build_model()
    optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=0.9)
    criterion = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = criterion(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))

    n_batches = len(xtr) // BATCH
    for epoch in range(EPOCHS):
        order = rng.permutation(len(xtr))
        for i in range(n_batches):
            idx = order[i * BATCH:(i + 1) * BATCH]
            train_step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))
        if (epoch + 1) % 5 == 0:
            print("epoch %d train loss %.4f" % (epoch + 1, float(criterion(ytr, model(xtr, training=False)))))
    out = model(xte, training=False).numpy()
    print("test loss %.4f acc %.4f" % (float(criterion(yte, out)), np.mean((out > 0) == (yte > 0.5))))


if __name__ == "__main__":
    main()
