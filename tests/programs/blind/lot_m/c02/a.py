import numpy as np
from sklearn.neural_network import MLPClassifier

rng = np.random.default_rng(70)
X = rng.normal(size=(1230, 10)).astype("float32")
score = np.stack([X[:, 0] * X[:, 1], np.sin(2 * X[:, 2]) + X[:, 3], 0.8 * X[:, 4] ** 2 - 0.5 * X[:, 5]], axis=1)
y = np.argmax(score + 0.2 * rng.normal(size=score.shape), axis=1)
Xtr, ytr, Xte, yte = X[:930], y[:930], X[930:], y[930:]

clf = MLPClassifier(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="adam",
    alpha=0.05,
    batch_size=50,
    learning_rate_init=0.005,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=100000,
    early_stopping=False,
    random_state=33,
)
clf.fit(Xtr, ytr)
for i, v in enumerate(clf.loss_curve_):
    print("epoch", i + 1, "loss", v)
print("train acc", (clf.predict(Xtr) == ytr).mean())
print("test acc", (clf.predict(Xte) == yte).mean())
p = clf.predict_proba(Xte)
print("test nll", -np.mean(np.log(p[np.arange(len(yte)), yte])))
