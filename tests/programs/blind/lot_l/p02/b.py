import numpy as np
import keras
from keras import layers

HI, FACTOR = 24, 4
LO = HI // FACTOR


def scenes(n, seed):
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[0:HI, 0:HI].astype("float32")
    hi = np.zeros((n, HI, HI), "float32")
    for k in range(n):
        for _ in range(4):
            cy, cx = rng.uniform(0, HI - 1, 2)
            s = rng.uniform(2.0, 4.5)
            hi[k] += rng.uniform(-1, 1) * np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / (2 * s * s))
        hi[k] += rng.uniform(-0.05, 0.05) * (yy - HI / 2) + rng.uniform(-0.05, 0.05) * (xx - HI / 2)
    lo = hi.reshape(n, LO, FACTOR, LO, FACTOR).mean((2, 4))
    return lo[..., None].astype("float32"), hi[..., None].astype("float32")


lo_train, hi_train = scenes(640, 0)
lo_test, hi_test = scenes(160, 1)


def build():
    x = keras.Input((LO, LO, 1))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    h = layers.Conv2D(8, 3, padding="same", activation="relu")(h)
    z = layers.Concatenate()([x, h])
    z = layers.UpSampling2D(FACTOR, interpolation="bilinear")(z)
    base = z[..., :1]
    r = layers.Conv2D(8, 3, padding="same", activation="relu")(z)
    r = layers.Conv2D(1, 3, padding="same")(r)
    return keras.Model(x, layers.Add()([base, r]))


keras.utils.set_random_seed(22)
model = build()

# training
model.compile(
    optimizer=keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanSquaredError(),
)
hist = model.fit(lo_train, hi_train, batch_size=32, epochs=10, shuffle=True, verbose=0)
for e, l in enumerate(hist.history["loss"]):
    print(f"epoch {e + 1:2d} mse {l:.6f}")
mse = model.evaluate(lo_test, hi_test, batch_size=160, verbose=0)
print(f"test mse {mse:.6f} psnr {10 * np.log10(4.0 / mse):.2f}")
