import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(40)
X = rng.normal(size=(1250, 12)).astype("float32")
W1 = rng.normal(size=(12, 20)) / np.sqrt(12)
W2 = rng.normal(size=(20, 8))
z = np.tanh(X @ W1) @ W2
P = np.exp(z / 1.5)
P = (P / P.sum(1, keepdims=True)).astype("float32")  # soft targets
Xtr, Ptr, Xte, Pte = X[:1000], P[:1000], X[1000:], P[1000:]

keras.utils.set_random_seed(78)
student = keras.Sequential([
    keras.Input((12,)),
    layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(8, activation="softmax", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
student.compile(optimizer=keras.optimizers.SGD(learning_rate=0.2, momentum=0.0),
                loss=keras.losses.KLDivergence())
hist = student.fit(Xtr, Ptr, batch_size=50, epochs=25, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print("epoch", i + 1, "kl", v)

q = student.predict(Xte, verbose=0)
print("test KL", float(np.mean(np.sum(Pte * np.log(Pte / q), axis=1))))
print("agreement", float((q.argmax(1) == Pte.argmax(1)).mean()))
