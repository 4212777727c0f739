# Churn prediction on synthetic customers. PyTorch version.
import numpy as np
import torch
from torch import nn

SEED = 42
rng = np.random.default_rng(1234)
n = 2000
features = rng.standard_normal((n, 10)).astype("float32")
score = 0.5 * features[:, 0] - 0.4 * features[:, 1] + 0.3 * features[:, 2] * features[:, 3] \
    + 0.4 * np.abs(features[:, 4]) + 0.1
churn = (rng.random(n) < 1 / (1 + np.exp(-score))).astype("float32")[:, None]
X_tr, y_tr = torch.tensor(features[:1500]), torch.tensor(churn[:1500])
X_va, y_va = torch.tensor(features[1500:]), torch.tensor(churn[1500:])

torch.manual_seed(SEED)
model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


def correct(logits, target):
    return ((logits > 0).float() == target).float().sum().item()


for epoch in range(12):
    model.train()
    loss_sum = hits = 0.0
    for idx in torch.randperm(len(X_tr)).split(50):
        xb, yb = X_tr[idx], y_tr[idx]
        optimizer.zero_grad()
        logits = model(xb)
        loss = loss_fn(logits, yb)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(idx)
        hits += correct(logits, yb)
    model.eval()
    with torch.no_grad():
        out = model(X_va)
    print("epoch %d: loss %.4f acc %.4f val_loss %.4f val_acc %.4f" % (
        epoch + 1, loss_sum / len(X_tr), hits / len(X_tr),
        loss_fn(out, y_va).item(), correct(out, y_va) / len(X_va)))
