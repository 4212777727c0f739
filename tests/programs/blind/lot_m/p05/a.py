import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

rng = np.random.default_rng(31)
n, C, T = 1200, 16, 16
t = np.arange(T)
y = rng.integers(0, 3, size=n)
freq = np.array([1.0, 2.0, 3.0])[y]
X = rng.normal(size=(n, C, T))
phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
for c in range(C):
    X[:, c] += 1.2 * np.sin(2 * np.pi * freq[:, None] * t / T + phase + 0.4 * c)
scale = np.geomspace(0.05, 20.0, C)[rng.permutation(C)]
offset = rng.normal(size=C) * scale
X = (X * scale[:, None] + offset[:, None]).astype("float32")  # (samples, sensors, time)
Xtr, ytr, Xte, yte = X[:1000], y[:1000], X[1000:], y[1000:]


class BatchNorm(nn.Module):
    """Batch normalisation over dim 1; the running variance is the biased one."""

    def __init__(self, channels, eps=1e-3, momentum=0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.eps, self.momentum = eps, momentum

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.running_mean.lerp_(x.mean(dim=(0, 2)), self.momentum)
                self.running_var.lerp_(x.var(dim=(0, 2), unbiased=False), self.momentum)
            return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)


torch.manual_seed(1)
model = nn.Sequential(
    BatchNorm(16),
    nn.Conv1d(16, 24, 5),
    nn.ReLU(),
    nn.MaxPool1d(2),
    nn.Flatten(),
    nn.Linear(24 * 6, 3),
)
for m in model:
    if isinstance(m, (nn.Conv1d, nn.Linear)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr)
for epoch in range(12):
    model.train()
    order = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), 40):
        idx = order[i:i + 40]
        loss = F.cross_entropy(model(xt[idx]), yt[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print("epoch", epoch + 1, "loss", round(total / len(xt), 4))

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(Xte))
    print("test loss", F.cross_entropy(logits, torch.from_numpy(yte)).item())
    print("test acc", (logits.argmax(1).numpy() == yte).mean())
