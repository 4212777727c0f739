"""Card fraud: few positives, weighted up.  PyTorch, same recipe as the scikit-learn model."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_classification

X, y = make_classification(n_samples=6000, n_features=22, n_informative=10, n_redundant=4,
                           n_clusters_per_class=3, weights=[0.93], flip_y=0.01,
                           class_sep=1.1, random_state=2025)
X = X.astype("float32")
X_train, y_train, X_test, y_test = X[:4000], y[:4000], X[4000:], y[4000:]
mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
FRAUD_WEIGHT = 8.0
weight = np.where(y_train == 1, FRAUD_WEIGHT, 1.0).astype("float32")

torch.manual_seed(12)
ALPHA = 0.5
model = nn.Sequential(nn.Linear(22, 32), nn.ReLU(), nn.Linear(32, 12), nn.ReLU(), nn.Linear(12, 1))
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:  # weights and biases within the Glorot bound, as MLPClassifier does
    bound = math.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, dampening=0, nesterov=True,
                      weight_decay=0)
data = TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train).float(),
                     torch.from_numpy(weight))
loader = DataLoader(data, batch_size=100, shuffle=True, drop_last=False)

for epoch in range(8):
    for xb, yb, wb in loader:
        z = model(xb)[:, 0]
        nll = F.binary_cross_entropy_with_logits(z, yb, reduction="none")
        penalty = 0.5 * ALPHA * sum((m.weight ** 2).sum() for m in linears)
        loss = ((wb * nll).sum() + penalty) / wb.sum()
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    p = torch.sigmoid(model(torch.from_numpy(X_test))[:, 0]).numpy().astype("float64")
w_test = np.where(y_test == 1, FRAUD_WEIGHT, 1.0)
print("frauds in training:", int(y_train.sum()))
print("parameters:", sum(q.numel() for q in model.parameters()))
print("weighted test log loss: %.4f" % log_loss(y_test, p, sample_weight=w_test))
print("average precision: %.4f" % average_precision_score(y_test, p))
print("auc: %.4f" % roc_auc_score(y_test, p))
