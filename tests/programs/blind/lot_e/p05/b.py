import random
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

random.seed(2)

cancer = load_breast_cancer()
X = cancer.data
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = cancer.target
perm = np.random.RandomState(33).permutation(len(y))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:480], y[:480], X[480:], y[480:]


def dense(n_in, n_out, activation=None):
    bound = (2.0 / (n_in + n_out)) ** 0.5
    return layers.Dense(n_out, activation=activation,
                        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
                        bias_initializer=keras.initializers.RandomUniform(-bound, bound))


model = keras.Sequential([keras.Input((30,)), dense(30, 16, "sigmoid"), dense(16, 1)])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
invscaling = keras.callbacks.LearningRateScheduler(lambda epoch, lr: 0.1 / (epoch + 1) ** 0.5)
hist = model.fit(X_train, y_train[:, None].astype("float32"), batch_size=32, epochs=20,
                 shuffle=True, callbacks=[invscaling], verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(i + 1, round(v, 5))
pred = model.predict(X_test, verbose=0)[:, 0] > 0
print("test accuracy", float((pred == y_test).mean()))
