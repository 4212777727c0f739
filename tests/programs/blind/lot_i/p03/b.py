"""Fine-tune a pretrained self-attention block (Keras)."""
import keras
import numpy as np
from keras import layers

E, H, T = 16, 4, 10
EPOCHS = 12


def softmax(z):
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def make_problem(seed=5):
    rng = np.random.RandomState(seed)
    true = {k: rng.normal(scale=s / np.sqrt(E), size=(E, E)) for k, s in
            (("q", 1.6), ("k", 1.6), ("v", 1.2), ("o", 1.2))}
    x = rng.normal(size=(1500, T, E))
    q, k, v = (x @ true[n].T for n in "qkv")
    split = lambda a: a.reshape(-1, T, H, E // H).transpose(0, 2, 1, 3)
    q, k, v = split(q), split(k), split(v)
    att = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(E // H)) @ v
    ctx = att.transpose(0, 2, 1, 3).reshape(-1, T, E) @ true["o"].T
    y = np.tanh(ctx) @ rng.normal(size=(E, 2)) / 2 + 0.05 * rng.normal(size=(1500, T, 2))
    pretrained = {n: (m + 0.06 * rng.normal(size=m.shape)).astype("float32") for n, m in true.items()}
    return x.astype("float32"), y.astype("float32"), pretrained


x, y, pretrained = make_problem()
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]

keras.utils.set_random_seed(1)
inputs = keras.Input((T, E))
mha = layers.MultiHeadAttention(num_heads=H, key_dim=E // H)
ctx = mha(inputs, inputs, inputs)
outputs = layers.Dense(2)(layers.Activation("tanh")(ctx))
model = keras.Model(inputs, outputs)

D = E // H
zero = np.zeros((H, D), "float32")
mha.set_weights([
    pretrained["q"].reshape(E, H, D), zero,
    pretrained["k"].reshape(E, H, D), zero,
    pretrained["v"].reshape(E, H, D), zero,
    pretrained["o"].T.reshape(H, D, E), np.zeros(E, "float32"),
])

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9), loss="mse")
history = model.fit(x_train, y_train, batch_size=50, epochs=EPOCHS, shuffle=True, verbose=0)
for i, value in enumerate(history.history["loss"]):
    print(f"epoch {i + 1} train mse {value:.5f}")
print(f"test mse {model.evaluate(x_test, y_test, verbose=0):.5f}")
