"""Classify motion traces with a GRU (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)


def traces(n=800, steps=16, seed=505):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, size=n)
    t = np.linspace(0, 1, steps)
    speed = rng.uniform(0.7, 1.4, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    circle = np.stack([np.cos(6 * speed * t + phase), np.sin(6 * speed * t + phase)], axis=2)
    eight = np.stack([np.sin(6 * speed * t + phase), np.sin(12 * speed * t + phase)], axis=2)
    line = np.stack([np.cos(phase) * speed * t * 2 - 1, np.sin(phase) * speed * t * 2 + 0 * t], axis=2)
    x = np.choose(kind[:, None, None], [circle, eight, line])
    x = x + 0.35 * rng.standard_normal(x.shape)
    return x.astype("float32"), kind.astype("int64")


x, y = traces()
x_train, y_train, x_test, y_test = x[:640], y[:640], x[640:], y[640:]
UNITS, BATCH, EPOCHS, LR, DECAY = 20, 32, 16, 0.008, 0.85


class TraceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 3)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, seq):
        _, last = self.gru(seq)
        return self.head(last[0])


model = TraceNet()
opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=DECAY)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for e in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    sched.step()
    print(f"{e + 1:2d} {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    z = model(torch.from_numpy(x_test))
    test_loss = criterion(z, torch.from_numpy(y_test)).item()
count = sum(p.numel() for p in model.parameters())
print(f"weights {count} test loss {test_loss:.4f} accuracy {np.mean(z.numpy().argmax(1) == y_test):.4f}")
