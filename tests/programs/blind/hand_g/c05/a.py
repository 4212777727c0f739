"""Residual MLP on the breast-cancer table: BCEWithLogitsLoss(pos_weight), AdamW groups, LambdaLR."""
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer

torch.manual_seed(0)
data = load_breast_cancer()
idx = np.random.RandomState(7).permutation(len(data.target))
X = data.data[idx].astype(np.float32)
y = data.target[idx].astype(np.float32)
mu, sd = X[:448].mean(0), X[:448].std(0)
X = (X - mu) / sd
X_train, y_train = torch.from_numpy(X[:448]), torch.from_numpy(y[:448])
X_test, y_test = torch.from_numpy(X[448:]), torch.from_numpy(y[448:])
POS_WEIGHT = 0.6
BASE_LR, DECAY, WARMUP = 2e-3, 0.1, 30


class Residual(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim, bias=False)
        self.bn = nn.BatchNorm1d(dim)
        self.fc2 = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.fc2(nn.functional.silu(self.bn(self.fc1(x))))


model = nn.Sequential(nn.Linear(30, 32), Residual(32), Residual(32), nn.Linear(32, 1))
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)

decay = [p for p in model.parameters() if p.ndim > 1]
no_decay = [p for p in model.parameters() if p.ndim <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": DECAY}, {"params": no_decay, "weight_decay": 0.0}],
    lr=BASE_LR, betas=(0.9, 0.98), eps=1e-8)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: min((s + 1) / WARMUP, (WARMUP / (s + 1)) ** 0.5))
criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(POS_WEIGHT))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X_train, y_train),
                                     batch_size=32, shuffle=True)

# training
for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    z = model(X_test).squeeze(1)
    print(f"test loss {criterion(z, y_test).item():.4f} accuracy {((z > 0).float() == y_test).float().mean().item():.4f}")
