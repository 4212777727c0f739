"""Sensor transformer, PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)


T, E, HEADS = 12, 16, 2


def make_data(n=700):
    rng = np.random.default_rng(64)
    x = rng.normal(size=(n, T, 4))
    freq = rng.uniform(0.3, 1.2, size=(n, 1))
    x[:, :, 0] += 2 * np.sin(freq * np.arange(T))
    x[:, :, 1] += np.cumsum(x[:, :, 2], axis=1) * 0.3
    y = 2 * freq[:, 0] + 0.5 * x[:, -1, 1] + np.tanh(x[:, :, 3].mean(1) * 3)
    return x.astype("float32"), ((y - y.mean()) / y.std()).astype("float32")[:, None]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(E, eps=1e-5)
        self.q = nn.Linear(E, E)
        self.k = nn.Linear(E, E)
        self.v = nn.Linear(E, E)
        self.o = nn.Linear(E, E)
        self.norm2 = nn.LayerNorm(E, eps=1e-5)
        self.up = nn.Linear(E, 4 * E)
        self.down = nn.Linear(4 * E, E)

    def forward(self, x):
        z = self.norm1(x)
        q, k, v = (p(z).view(-1, T, HEADS, E // HEADS).transpose(1, 2) for p in (self.q, self.k, self.v))
        a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, T, E)
        x = x + self.o(a)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, E)
        self.pos = nn.Parameter(torch.empty(T, E).uniform_(-0.05, 0.05))
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.head = nn.Linear(E, 1)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.gelu(self.embed(x)) + self.pos
        for b in self.blocks:
            x = b(x)
        return self.head(x.mean(1))


x, y = map(torch.from_numpy, make_data())
loader = DataLoader(TensorDataset(x[:560], y[:560]), batch_size=28, shuffle=True)
model = Model()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

for epoch in range(10):
    s = 0.0
    for xb, yb in loader:
        loss = F.mse_loss(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item() * len(xb)
    with torch.no_grad():
        v = F.mse_loss(model(x[560:]), y[560:]).item()
    print(f"epoch {epoch + 1} train {s / 560:.4f} val {v:.4f}")
