import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(9)


def make_data(n=640, frames=18, mels=100):
    rng = np.random.default_rng(31)
    templates = rng.normal(size=(4, 3, mels))
    y = rng.integers(0, 4, size=n)
    x = 1.0 * rng.normal(size=(n, frames, mels))
    for i in range(n):
        start = rng.integers(0, frames - 9)
        for s in range(3):
            x[i, start + 3 * s:start + 3 * s + 3] += 0.35 * templates[y[i], s]
    return x.astype("float32"), y.astype("int64")


class KeywordSpotter(nn.Module):
    def __init__(self, mels=100, hidden=8, classes=4):
        super().__init__()
        self.lstm = nn.LSTM(mels, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)
        with torch.no_grad():
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[hidden:2 * hidden] = 1.0
            self.lstm.bias_hh_l0.zero_()
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(h[-1])


x, y = make_data()
x, y = torch.from_numpy(x), torch.from_numpy(y)
model = KeywordSpotter()
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05, momentum=0.9)

for epoch in range(12):
    perm = torch.randperm(512)
    total = 0.0
    for idx in perm.split(32):
        loss = F.cross_entropy(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    with torch.no_grad():
        out = model(x[512:])
    print(f"epoch {epoch + 1} train {total / 512:.4f} val {F.cross_entropy(out, y[512:]).item():.4f} "
          f"acc {(out.argmax(1) == y[512:]).float().mean().item():.3f}")
