import keras
import numpy as np
from keras import layers


def spirals(n_per_class, seed):
    rng = np.random.RandomState(seed)
    xs, ys = [], []
    for k in range(3):
        r = np.linspace(0.1, 1.0, n_per_class)
        t = 2.1 * np.pi * k / 3 + 4.0 * r + rng.normal(0, 0.15, n_per_class)
        xs.append(np.c_[r * np.cos(t), r * np.sin(t)])
        ys.append(np.full(n_per_class, k))
    return (np.concatenate(xs) * 2).astype("float32"), np.concatenate(ys).astype("int64")


x_train, y_train = spirals(200, 0)
x_test, y_test = spirals(100, 1)

keras.utils.set_random_seed(11)

model = keras.Sequential([keras.Input((2,))])
for _ in range(3):
    model.add(layers.Dense(32, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
    model.add(layers.LeakyReLU())
model.add(layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=40, epochs=30, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {value:.4f}")

test_loss = model.evaluate(x_test, y_test, batch_size=300, verbose=0)
acc = (model.predict(x_test, verbose=0).argmax(1) == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")
