import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
import torch.nn.functional as F

bc = load_breast_cancer()
X, y = bc.data.astype(np.float64), bc.target
perm = np.random.RandomState(0).permutation(len(X))
X, y = X[perm], y[perm]
scale = np.abs(X[:448]).max(axis=0)
X = (4.0 * X / scale).astype(np.float32)
Xtr, ytr = torch.tensor(X[:448]), torch.tensor(y[:448], dtype=torch.float32).unsqueeze(1)
Xte, yte = torch.tensor(X[448:]), torch.tensor(y[448:], dtype=torch.float32).unsqueeze(1)


class BatchNorm(nn.BatchNorm1d):
    """BatchNorm1d whose running variance is the plain (biased) batch variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            mean, var = x.mean(0), x.var(0, unbiased=False)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
            self.num_batches_tracked += 1
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


torch.manual_seed(1)
model = nn.Sequential(
    nn.Linear(30, 32, bias=False), BatchNorm(32, eps=1e-5), nn.ReLU(),
    nn.Linear(32, 16, bias=False), BatchNorm(16, eps=1e-5), nn.ReLU(),
    nn.Linear(16, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)

opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
crit = nn.BCEWithLogitsLoss()

for epoch in range(12):
    model.train()
    tot = 0.0
    for idx in torch.randperm(448).split(32):
        loss = crit(model(Xtr[idx]), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(idx)
    model.eval()
    with torch.no_grad():
        z = model(Xte)
        vl = crit(z, yte).item()
        va = ((z > 0).float() == yte).float().mean().item()
    print(f"epoch {epoch + 1:2d} loss {tot / 448:.4f} val_loss {vl:.4f} val_acc {va:.4f}")
