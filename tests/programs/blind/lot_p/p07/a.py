import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore", category=ConvergenceWarning)

# twenty minutes of sensor readings: unix time, temperature -> level
rng = np.random.default_rng(41)
t = np.sort(rng.uniform(0, 1200, size=1000))
temp = 20 + 2 * rng.normal(size=1000)
level = np.sin(2 * np.pi * t / 800) + 0.25 * (temp - 20) + 0.03 * rng.normal(size=1000)
X = np.stack([1_700_000_000 + t, temp], axis=1)
pick = rng.permutation(1000)
X_train, y_train = X[pick[:800]], level[pick[:800]]
X_test, y_test = X[pick[800:]], level[pick[800:]]

model = make_pipeline(
    StandardScaler(),
    MLPRegressor(
        hidden_layer_sizes=(48, 48), activation="tanh", solver="adam", alpha=0.0,
        batch_size=50, learning_rate_init=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
        max_iter=36, shuffle=True, tol=0.0, n_iter_no_change=10**6, random_state=1),
)

# train
model.fit(X_train, y_train)

print("train mse %.5f" % np.mean((model.predict(X_train) - y_train) ** 2))
print("test mse %.5f" % np.mean((model.predict(X_test) - y_test) ** 2))
