"""Fit a small student to soft label distributions."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

SEED = 21
EPOCHS = 16
BATCH = 48


def soft_label_data(n=1200, n_test=300, d=10, k=6):
    rng = np.random.default_rng(99)
    x = rng.normal(size=(n + n_test, d))
    w1 = rng.normal(size=(d, 20)) / np.sqrt(d)
    w2 = rng.normal(size=(20, k)) / np.sqrt(20)
    z = 2.5 * np.tanh(x @ w1) @ w2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    p = 0.98 * p + 0.02 / k
    x, p = x.astype(np.float32), p.astype(np.float32)
    return (x[:n], p[:n]), (x[n:], p[n:])


class Student(nn.Module):
    def __init__(self, d=10, hidden=32, k=6):
        super().__init__()
        self.hidden = nn.Linear(d, hidden)
        self.out = nn.Linear(hidden, k)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return F.log_softmax(self.out(F.relu(self.hidden(x))), dim=-1)


torch.manual_seed(SEED)
(xtr, ptr), (xte, pte) = soft_label_data()
xtr, ptr, xte, pte = map(torch.from_numpy, (xtr, ptr, xte, pte))
student = Student()
kl = nn.KLDivLoss()
opt = torch.optim.SGD(student.parameters(), lr=0.1, momentum=0.9)

for epoch in range(EPOCHS):
    perm = torch.randperm(len(xtr))
    acc = 0.0
    for i in range(0, len(xtr), BATCH):
        b = perm[i:i + BATCH]
        loss = kl(student(xtr[b]), ptr[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        acc += loss.item() * len(b)
    print(f"[{epoch + 1:02d}] kl {acc / len(xtr):.5f}")

student.eval()
with torch.no_grad():
    logq = student(xte)
    agree = (logq.argmax(1) == pte.argmax(1)).float().mean()
    print(f"test kl {kl(logq, pte).item():.5f}  same top class {agree.item():.3f}")
