import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

pixels = load_digits().data / 16.0
pixels = pixels[np.random.RandomState(1).permutation(len(pixels))].astype(np.float32)
train, test = pixels[:1536], pixels[1536:]

net = keras.Sequential([keras.Input((64,))])
for units in (32, 8, 32):
    net.add(layers.Dense(units, kernel_initializer="he_uniform"))
    net.add(layers.LeakyReLU())
net.add(layers.Dense(64, kernel_initializer="he_uniform"))

epochs, batch = 20, 64
schedule = keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=epochs * (1536 // batch), alpha=0.05)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
net.compile(keras.optimizers.Adam(schedule, epsilon=1e-12), loss=bce)
net.fit(train, train, batch_size=batch, epochs=epochs, verbose=0)

out = net.predict(test, verbose=0)
recon = 1.0 / (1.0 + np.exp(-out))
print("test bce %.4f  test mse %.4f" % (float(bce(test, out)), np.mean((recon - test) ** 2)))
