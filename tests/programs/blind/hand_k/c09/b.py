"""Bag of embeddings for padded token lists, PyTorch; pooling mask, dropout and class weights by hand."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

VOCAB, T, CLASSES = 120, 18, 3
CLASS_WEIGHT = torch.tensor([0.6, 1.1, 3.0])
RATE, LR, BATCH, EPOCHS = 0.25, 0.3, 64, 20


def make_data():
    rng = np.random.default_rng(64)
    n = 1850
    y = rng.choice(CLASSES, size=n, p=[0.58, 0.3, 0.12])
    topics = rng.dirichlet(np.full(VOCAB - 1, 0.15), size=CLASSES)
    common = np.full(VOCAB - 1, 1.0 / (VOCAB - 1))
    tokens = np.zeros((n, T), dtype=np.int32)          # 0 is padding
    for i in range(n):
        length = rng.integers(5, T + 1)
        p = 0.5 * topics[y[i]] + 0.5 * common
        tokens[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=p / p.sum())
    return tokens[:1500], y[:1500], tokens[1500:], y[1500:]


def drop(x, training):
    if not training:
        return x
    keep = (torch.rand_like(x) >= RATE).to(x.dtype)
    return x * keep / (1.0 - RATE)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(VOCAB, 16).uniform_(-0.5, 0.5))
        self.hidden = nn.Linear(16, 24)
        self.out = nn.Linear(24, CLASSES)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens):
        real = (tokens != 0).float().unsqueeze(-1)
        pooled = (self.table[tokens] * real).sum(dim=1) / real.sum(dim=1)
        h = torch.relu(self.hidden(drop(pooled, self.training)))
        return self.out(drop(h, self.training))


torch.manual_seed(70)
x_train, y_train, x_test, y_test = (torch.from_numpy(v).long() for v in make_data())
model = Bag()

model.train()
for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        x, y = x_train[idx], y_train[idx]
        logp = torch.log_softmax(model(x), dim=1)
        nll = -logp[torch.arange(len(y)), y]
        loss = (CLASS_WEIGHT[y] * nll).sum() / len(y)   # divided by the batch, not by the weights
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), grads):
                p -= LR * g

model.eval()


def report(name, x, y):
    with torch.no_grad():
        logits = model(x)
    loss = F.cross_entropy(logits, y).item()
    acc = (logits.argmax(1) == y).float().mean().item()
    print(f"{name}: cross-entropy {loss:.4f} accuracy {acc:.4f}")


report("train", x_train, y_train)
report("test", x_test, y_test)
