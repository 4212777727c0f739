import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(9)

digits = load_digits()
perm = np.random.default_rng(2).permutation(len(digits.target))
img = (digits.images[perm] / 16.0).astype(np.float32)[..., None]
lab = digits.target[perm].astype(np.int64)

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
    layers.Dense(10),
])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss=cross_entropy)
model.fit(img[:1500], lab[:1500], batch_size=60, epochs=14, verbose=0)

logits = model.predict(img[1500:], verbose=0)
nll = float(cross_entropy(lab[1500:], logits))
p = np.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
acc = np.mean(p.argmax(1) == lab[1500:])
print("test nll %.4f, accuracy %.4f, mean confidence %.4f" % (nll, acc, p.max(1).mean()))
