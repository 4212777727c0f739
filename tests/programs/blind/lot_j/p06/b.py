import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

bc = load_breast_cancer()
X, y = bc.data.astype(np.float64), bc.target
perm = np.random.RandomState(0).permutation(len(X))
X, y = X[perm], y[perm]
scale = np.abs(X[:448]).max(axis=0)
X = (4.0 * X / scale).astype(np.float32)
y = y.astype(np.float32)[:, None]

keras.utils.set_random_seed(1)
model = keras.Sequential([
    layers.Input((30,)),
    layers.Dense(32, use_bias=False),
    layers.BatchNormalization(epsilon=1e-5),
    layers.ReLU(),
    layers.Dense(16, use_bias=False),
    layers.BatchNormalization(epsilon=1e-5),
    layers.ReLU(),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(0.02, momentum=0.9),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(name="acc", threshold=0.0)],
)
model.fit(X[:448], y[:448], batch_size=32, epochs=12, shuffle=True,
          validation_data=(X[448:], y[448:]), verbose=2)
