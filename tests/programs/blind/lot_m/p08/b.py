import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(8)
n, T, F_IN = 1600, 10, 6
X = rng.normal(size=(n, T, F_IN)).astype("float32")
marker = rng.integers(0, T, size=n)
X[np.arange(n), marker, 0] += 4.0
value = X[np.arange(n), marker, 1] + X[np.arange(n), marker, 2]
y = (value > 0).astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:1280], y[:1280], X[1280:], y[1280:]

DIM = 16


class AttentionNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(F_IN, DIM)
        self.k = nn.Linear(F_IN, DIM)
        self.v = nn.Linear(F_IN, DIM)
        self.softmax = nn.Softmax()
        self.fc = nn.Linear(T * DIM, 32)
        self.out = nn.Linear(32, 1)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / math.sqrt(DIM)
        context = self.softmax(scores) @ self.v(x)
        return self.out(torch.relu(self.fc(context.flatten(1))))


torch.manual_seed(12)
model = AttentionNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.BCEWithLogitsLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr)), batch_size=64, shuffle=True)
for epoch in range(25):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print("epoch", epoch + 1, "loss", round(total / len(Xtr), 4))

model.eval()
with torch.no_grad():
    logit = torch.cat([model(xb) for xb in torch.from_numpy(Xte).split(64)]).numpy()
print("test accuracy", float(((logit > 0) == (yte > 0.5)).mean()))
