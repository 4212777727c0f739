import numpy as np
import keras

keras.utils.set_random_seed(2)

rng = np.random.default_rng(31)
latent = rng.standard_normal((1200, 24)) * np.geomspace(2.0, 0.2, 24)
mixing = np.linalg.qr(rng.standard_normal((24, 24)))[0]
X = latent @ mixing.T
score = latent / np.geomspace(2.0, 0.2, 24)
y = (0.8 * score[:, 3] * score[:, 10] + score[:, 8] + score[:, 20] > 0).astype(np.float32)[:, None]
X = (X - X[:960].mean(0)).astype(np.float32)

cov = np.cov(X[:960], rowvar=False)
eigval, eigvec = np.linalg.eigh(cov)
whiten = (eigvec / np.sqrt(eigval)).astype(np.float32)

front = keras.layers.Dense(24, use_bias=False, trainable=False)
model = keras.Sequential([
    keras.Input((24,)),
    front,
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
front.set_weights([whiten])

criterion = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9), loss=criterion)
model.fit(X[:960], y[:960], batch_size=48, epochs=20, verbose=0)

z = model.predict(X[960:], verbose=0)
print("test loss %.4f acc %.4f" % (float(criterion(y[960:], z)), np.mean((z > 0) == (y[960:] > 0.5))))
