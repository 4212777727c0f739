import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

rng = np.random.RandomState(3)
data = load_breast_cancer()
order = rng.permutation(len(data.data))
x = data.data[order]
y = data.target[order].astype("float32")[:, None]
n = 448
x = ((x - x[:n].mean(0)) / x[:n].std(0)).astype("float32")

keras.utils.set_random_seed(7)


def dense(units, activation=None):
    return layers.Dense(units, activation=activation, kernel_regularizer=regularizers.l2(0.01))


net = keras.Sequential([keras.Input((30,)), dense(24, "elu"), dense(12, "elu"), dense(1)])
net.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
history = net.fit(x[:n], y[:n], batch_size=32, epochs=20, shuffle=True, verbose=0)
train_loss = history.history["loss"]
for epoch, value in enumerate(train_loss):
    print(f"epoch {epoch + 1:02d} train loss {value:.4f}")

acc = float(((net.predict(x[n:], verbose=0) > 0).astype("float32") == y[n:]).mean())
print(f"final train loss {train_loss[-1]:.4f}")
print(f"held-out accuracy {acc:.4f}")
