"""Classify short two-channel recordings (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(64)
N, T, K = 900, 48, 4
cls = rng.integers(0, K, size=N)
t = np.linspace(0, 1, T)
base = np.array([2.0, 3.5, 5.0, 6.5])[cls][:, None]
shift = rng.uniform(0, 2 * np.pi, size=(N, 1))
x = np.stack([np.sin(2 * np.pi * base * t + shift), np.cos(2 * np.pi * base * t + 0.5 * shift)], axis=-1)
x = (x + 0.6 * rng.normal(size=x.shape)).astype("float32")
cls = cls.astype("int64")
x_train, y_train, x_test, y_test = x[:720], cls[:720], x[720:], cls[720:]

EPOCHS, BATCH, LR = 14, 32, 4e-3
STEPS = EPOCHS * math.ceil(len(x_train) / BATCH)

torch.manual_seed(30)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 16, 5, padding=2)
        self.conv2 = nn.Conv1d(16, 32, 5, padding=2)
        self.norm = nn.LayerNorm(32, eps=1e-5)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(32, 24)
        self.head = nn.Linear(24, K)
        self.act = nn.GELU(approximate="none")
        for m in (self.conv1, self.conv2, self.fc, self.head):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = self.act(self.conv1(x))
        x = self.act(self.conv2(x))
        x = x.amax(dim=2)
        x = self.drop(self.norm(x))
        return self.head(self.act(self.fc(x)))


model = Classifier()
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.02)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 0.5 * (1.0 + math.cos(math.pi * s / STEPS)))
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(x_test))
    print(f"test loss {criterion(out, torch.from_numpy(y_test)).item():.4f}")
print(f"test accuracy {(out.argmax(1).numpy() == y_test).mean():.4f}")
