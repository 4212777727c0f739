"""Mixture density network for the inverse of a wiggly curve (PyTorch distributions)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.utils.data import DataLoader, TensorDataset

SEED = 14
K, WIDTH = 5, 32
BATCH, EPOCHS, LR = 96, 40, 8e-3


def inverse_problem(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.uniform(-1, 1, size=(n, 1))
    x = 0.7 * y + 0.6 * np.sin(5.0 * y) + 0.08 * rng.normal(size=(n, 1))
    return x.astype(np.float32), y.astype(np.float32)


class MDN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(1, WIDTH)
        self.fc2 = nn.Linear(WIDTH, WIDTH)
        self.mix = nn.Linear(WIDTH, K)
        self.mean = nn.Linear(WIDTH, K)
        self.scale = nn.Linear(WIDTH, K)
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.uniform_(self.mean.bias, -1.0, 1.0)

    def forward(self, x):
        h = torch.tanh(self.fc2(torch.tanh(self.fc1(x))))
        components = Normal(self.mean(h), F.softplus(self.scale(h)) + 0.01)
        return MixtureSameFamily(Categorical(logits=self.mix(h)), components)


torch.manual_seed(SEED)
x, y = (torch.from_numpy(a) for a in inverse_problem(1100, 0))
xv, yv = (torch.from_numpy(a) for a in inverse_problem(500, 1))
loader = DataLoader(TensorDataset(x, y.squeeze(1)), batch_size=BATCH, shuffle=True, drop_last=False)

model = MDN()
optimizer = torch.optim.Adamax(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=0)

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        loss = -model(xb).log_prob(yb).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}  nll {total / len(x):.4f}")

with torch.no_grad():
    print(f"held-out nll {-model(xv).log_prob(yv.squeeze(1)).mean().item():.4f}")
