"""Fine-tune an MLP whose first layer starts from a PCA whitening."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(2)

DIM, N_TRAIN, N_TEST = 16, 1200, 500
rng = np.random.default_rng(808)
latent = rng.normal(size=(N_TRAIN + N_TEST, DIM))
mixing = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
spread = np.geomspace(3.0, 0.1, DIM)
features = (latent * spread) @ mixing.T
classes = (latent[:, 3] + latent[:, 10] > 0).astype(int) + 2 * (latent[:, 6] - latent[:, 13] > 0).astype(int)
features, classes = features.astype(np.float32), classes.astype(np.int32)
x_train, y_train = features[:N_TRAIN], classes[:N_TRAIN]
x_test, y_test = features[N_TRAIN:], classes[N_TRAIN:]

# PCA whitening of the training features
eigval, eigvec = np.linalg.eigh(np.cov(x_train.T))
whitening = (eigvec / np.sqrt(eigval)).T.astype(np.float32)

model = keras.Sequential([
    keras.Input((DIM,)),
    keras.layers.Dense(DIM, name="whiten"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(4),
])
model.get_layer("whiten").set_weights([whitening, np.zeros(DIM, np.float32)])

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
model.compile(optimizer=optimizer, loss=loss_fn, metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=48, epochs=16, shuffle=True, verbose=0)
print("train loss per epoch", [round(v, 3) for v in history.history["loss"]])
loss, acc = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
print("test loss %.4f acc %.4f" % (loss, acc))
