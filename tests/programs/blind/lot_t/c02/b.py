"""Keyword-like spectrogram classifier with temporal convolutions, PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)


def spectrograms(n=560, frames=20, bands=12):
    rng = np.random.default_rng(8)
    label = rng.integers(0, 4, size=n)
    t = np.linspace(0, 1, frames)
    centre = np.stack([3 + 6 * t, 9 - 6 * t, 6 + 3 * np.sin(2 * np.pi * t), np.full(frames, 6.0)])
    shift = rng.uniform(-1.5, 1.5, size=(n, 1))
    c = centre[label] + shift
    s = np.exp(-0.5 * (np.arange(bands)[None, None, :] - c[:, :, None]) ** 2)
    s = s + 0.5 * rng.normal(size=s.shape)
    return s.astype("float32"), label.astype("int64")


class KeywordNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(12, 24, 3)
        self.norm = nn.LayerNorm(24, eps=1e-5)
        self.conv2 = nn.Conv1d(24, 32, 3)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(32, 4)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.conv1(x.transpose(1, 2)).transpose(1, 2)
        h = F.silu(self.norm(h)).transpose(1, 2)
        h = F.max_pool1d(h, 2)
        h = F.silu(self.conv2(h)).amax(dim=2)
        return self.fc(self.drop(h))


x, y = spectrograms()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:400], y[:400], x[400:], y[400:]
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True, drop_last=False)

model = KeywordNet()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.02)
criterion = nn.CrossEntropyLoss()

curve = []
for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    curve.append(round(total / 400, 4))
print("train loss", curve)

model.eval()
with torch.no_grad():
    pred = model(x_test).argmax(dim=-1)
print("test accuracy", (pred == y_test).float().mean().item())
