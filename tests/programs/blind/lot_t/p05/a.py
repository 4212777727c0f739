import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_friedman1

keras.utils.set_random_seed(13)

x, y = make_friedman1(n_samples=800, n_features=10, noise=1.0, random_state=4)
x = ((x - 0.5) * 3.4).astype("float32")
y = ((y - y[:600].mean()) / y[:600].std()).astype("float32").reshape(-1, 1)

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(1),
])
schedule = keras.optimizers.schedules.CosineDecay(initial_learning_rate=0.02, decay_steps=120, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mean_absolute_error",
    jit_compile=False,
)
hist = model.fit(x[:600], y[:600], batch_size=50, epochs=20, shuffle=True, verbose=0)
print("train mae per epoch:", np.round(hist.history["loss"], 4).tolist())
pred = model.predict(x[600:], verbose=0)
print("test mae:", float(np.abs(pred - y[600:]).mean()))
