"""Churn classifier with scikit-learn."""
import numpy as np
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def load_customers(n=3000, seed=11):
    rng = np.random.default_rng(seed)
    tenure = rng.gamma(2.0, 14.0, n)
    monthly = rng.normal(65, 22, n)
    contract = rng.choice(3, size=n, p=[0.55, 0.25, 0.20])
    tickets = rng.poisson(1.4, n)
    autopay = rng.binomial(1, 0.45, n)
    usage_trend = rng.normal(0, 1, n)
    fibre = rng.binomial(1, 0.5, n)
    score = (
        0.4 - 0.05 * tenure + 0.022 * (monthly - 65) * (1 + fibre)
        + np.array([1.1, -0.4, -1.8])[contract] + 0.45 * tickets
        - 0.7 * autopay - 0.9 * usage_trend + 0.6 * (tickets > 2) * (contract == 0)
    )
    churned = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.4 * score))).astype(int)
    features = np.column_stack(
        [tenure, monthly, np.eye(3)[contract], tickets, autopay, usage_trend, fibre]
    )
    return features, churned


features, churned = load_customers()
n_train = 2400
scaler = StandardScaler()
X_train = scaler.fit_transform(features[:n_train]).astype(np.float32)
X_test = scaler.transform(features[n_train:]).astype(np.float32)
y_train, y_test = churned[:n_train], churned[n_train:]

clf = MLPClassifier(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.2,
    batch_size=80,
    max_iter=12,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=3,
)
clf.fit(X_train, y_train)
for i, value in enumerate(clf.loss_curve_, start=1):
    print(f"epoch {i:2d}: loss={value:.4f}")

p = clf.predict_proba(X_test)[:, 1]
print(f"test log loss {log_loss(y_test, p):.4f}")
print(f"test accuracy {accuracy_score(y_test, p > 0.5):.4f}")
print(f"test AUC      {roc_auc_score(y_test, p):.4f}")
