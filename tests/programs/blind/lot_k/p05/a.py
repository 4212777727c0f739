import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.RandomState(12)
centers = rng.normal(0, 1.2, (6, 10))
component = rng.randint(0, 6, 600)
X = (centers[component] + rng.normal(0, 1.1, (600, 10))).astype(np.float32)
y = component % 3
X_train, y_train = X[:300], y[:300]
X_val, y_val = X[300:330], y[300:330]
X_test, y_test = X[330:], y[330:]

clf = MLPClassifier(
    hidden_layer_sizes=(32,), activation="tanh", solver="adam", alpha=0.01, batch_size=30,
    learning_rate_init=0.003, max_iter=40, shuffle=True, random_state=0,
    tol=1e-4, n_iter_no_change=20, early_stopping=True,
    beta_1=0.9, beta_2=0.999, epsilon=1e-12,
)
clf.fit(X_train, y_train)

print("epochs", clf.n_iter_)
for name, a, b in (("train", X_train, y_train), ("val", X_val, y_val), ("test", X_test, y_test)):
    p = clf.predict_proba(a)
    ce = -np.log(np.clip(p[np.arange(len(b)), b], 1e-7, 1)).mean()
    print(f"{name}: cross-entropy {ce:.4f} accuracy {(p.argmax(1) == b).mean():.4f}")
