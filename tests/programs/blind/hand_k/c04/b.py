"""Variable-length sequences, one transformer block in PyTorch with attention and norm by hand."""
import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

T, FEATURES, D, HEADS, CLASSES = 16, 6, 32, 2, 4


def make_data():
    rng = np.random.default_rng(77)
    n = 1400
    y = rng.integers(0, CLASSES, size=n)
    lengths = rng.integers(6, T + 1, size=n)
    protos = rng.normal(size=(CLASSES, FEATURES))
    x = rng.normal(scale=1.0, size=(n, T, FEATURES))
    for i in range(n):                       # two marked positions carry the class
        pos = rng.choice(lengths[i], size=2, replace=False)
        x[i, pos] += 2.0 * protos[y[i]]
    mask = np.arange(T)[None, :] < lengths[:, None]
    x = (x * mask[:, :, None]).astype(np.float32)
    return (x[:1120], mask[:1120], y[:1120]), (x[1120:], mask[1120:], y[1120:])


def sinusoids(length, dim):
    table = torch.zeros(length, dim)
    for p in range(length):
        for k in range(0, dim, 2):
            angle = p / 10000 ** (k / dim)
            table[p, k] = math.sin(angle)
            table[p, k + 1] = math.cos(angle)
    return table


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Norm(nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (linear(D, D) for _ in range(4))

    def split(self, z):
        return z.view(z.shape[0], T, HEADS, D // HEADS).transpose(1, 2)

    def forward(self, x, mask):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(D // HEADS)
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
        out = torch.softmax(scores, dim=-1) @ v
        return self.o(out.transpose(1, 2).reshape(x.shape[0], T, D))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = linear(FEATURES, D)
        self.attention = Attention()
        self.norm1, self.norm2 = Norm(D), Norm(D)
        self.up, self.down = linear(D, 64), linear(64, D)
        self.head = linear(D, CLASSES)
        self.register_buffer("pos", sinusoids(T, D))

    def forward(self, x, mask):
        h = self.embed(x) + self.pos
        h = self.norm1(h + self.attention(h, mask))
        h = self.norm2(h + self.down(torch.relu(self.up(h))))
        m = mask.unsqueeze(-1).to(h.dtype)
        return self.head((h * m).sum(1) / m.sum(1))


torch.manual_seed(13)
train, test = ([torch.from_numpy(v) for v in part] for part in make_data())
x_train, m_train, y_train = train
x_test, m_test, y_test = test
model = Classifier()
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.03, lr_decay=0.0, weight_decay=0.0,
                                initial_accumulator_value=0.1, eps=1e-10)

for epoch in range(15):
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(56):
        loss = F.cross_entropy(model(x_train[idx], m_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

with torch.no_grad():
    logits = model(x_test, m_test)
    acc = (logits.argmax(1) == y_test).float().mean().item()
    print(f"test loss {F.cross_entropy(logits, y_test).item():.4f} accuracy {acc:.4f}")
