"""Distillation of a frozen random-feature teacher into a small attention student (PyTorch).

Each digit is read as a sequence of eight rows.
"""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(90)
torch.set_num_threads(1)

D, HEADS, TEMP, MIX = 24, 2, 3.0, 0.7
BATCH, EPOCHS, L2 = 50, 14, 5e-4

bunch = load_digits()
perm = np.random.default_rng(41).permutation(len(bunch.target))
X = (bunch.data[perm] / 16.0 - 0.3).astype("float32")
y = bunch.target[perm].astype("int64")
x_train, y_train, x_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]


def make_teacher(x, labels, features=300, ridge=1.0):
    rng = np.random.default_rng(8)
    w = 0.6 * rng.normal(size=(64, features))
    b = rng.uniform(0, 2 * np.pi, features)
    z = np.cos(x @ w + b)
    c = np.linalg.solve(z.T @ z + ridge * np.eye(features), z.T @ (np.eye(10)[labels] - 0.1))
    return w.astype("float32"), b.astype("float32"), (8.0 * c).astype("float32")


class Teacher(nn.Module):
    def __init__(self, arrays):
        super().__init__()
        for name, value in zip("wbc", arrays):
            self.register_buffer(name, torch.from_numpy(value))

    @torch.no_grad()
    def forward(self, x):
        return torch.cos(x @ self.w + self.b) @ self.c


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, D, bias=False)
        self.pos = nn.Parameter(0.1 * torch.randn(8, D))
        self.q, self.k, self.v, self.o = (nn.Linear(D, D, bias=False) for _ in range(4))
        self.norm = nn.LayerNorm(D, eps=1e-5)
        self.cls = nn.Linear(8 * D, 10)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(self.cls.bias)

    def forward(self, x):
        h = self.embed(x.view(-1, 8, 8)) + self.pos
        q, k, v = (f(h).view(-1, 8, HEADS, D // HEADS) for f in (self.q, self.k, self.v))
        scores = torch.einsum("bqhc,bkhc->bhqk", q, k) / math.sqrt(D // HEADS)
        mixed = torch.einsum("bhqk,bkhc->bqhc", scores.softmax(-1), v).reshape(-1, 8, D)
        h = self.norm(h + self.o(mixed))
        return self.cls(F.relu(h).flatten(1))


teacher, student = Teacher(make_teacher(x_train, y_train)), Student()


def distill_loss(x, labels, logits):
    log_p = F.log_softmax(teacher(x) / TEMP, dim=-1)
    log_q = F.log_softmax(logits / TEMP, dim=-1)
    soft = F.kl_div(log_q, log_p, reduction="batchmean", log_target=True) * TEMP ** 2
    return MIX * soft + (1 - MIX) * F.cross_entropy(logits, labels)


matrices = [m.weight for m in student.modules() if isinstance(m, nn.Linear)]
others = [p for p in student.parameters() if not any(p is w for w in matrices)]
opt = torch.optim.SGD([{"params": matrices, "weight_decay": L2},
                       {"params": others, "weight_decay": 0.0}],
                      lr=0.03, momentum=0.9, nesterov=True)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)
xt, yt = torch.from_numpy(x_test), torch.from_numpy(y_test)


@torch.no_grad()
def report(tag):
    logits = student(xt)
    acc = (logits.argmax(1) == yt).float().mean().item()
    print(f"{tag}: test distill {distill_loss(xt, yt, logits).item():.4f} acc {acc:.3f}")


# ---- training
print("teacher acc", (teacher(xt).argmax(1) == yt).float().mean().item())
report("before")
for epoch in range(EPOCHS):
    for xb, yb in loader:
        loss = distill_loss(xb, yb, student(xb))
        opt.zero_grad()
        loss.backward()
        opt.step()
report("after")
