"""Five noisy spirals-like clusters: scikit-learn MLPClassifier with Adam."""
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")

rng = np.random.default_rng(8)
N, K = 1500, 5
labels = rng.integers(0, K, N)
radius = rng.uniform(0.3, 2.0, N)
angle = 2 * np.pi * labels / K + 1.4 * radius + 0.15 * rng.normal(size=N)
features = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
features = np.concatenate([features, 0.5 * rng.normal(size=(N, 4))], 1).astype(np.float32)
X_train, y_train = features[:1200], labels[:1200]
X_test, y_test = features[1200:], labels[1200:]

clf = MLPClassifier(hidden_layer_sizes=(48,), activation="relu", solver="adam",
                    alpha=0.1, batch_size=60, learning_rate_init=0.01,
                    beta_1=0.9, beta_2=0.999, epsilon=1e-8,
                    max_iter=25, shuffle=True, tol=0.0, n_iter_no_change=500,
                    early_stopping=False, random_state=0)
# training
clf.fit(X_train, y_train)
for e in range(0, clf.n_iter_, 4):
    print("epoch", e + 1, "objective", round(clf.loss_curve_[e], 4))
print("final objective", round(clf.loss_, 4))

p = clf.predict_proba(X_test)
print("test log-loss %.4f" % -np.mean(np.log(p[np.arange(len(p)), y_test])))
print("test accuracy %.4f" % clf.score(X_test, y_test))
