"""Denoising autoencoder for handwritten digits (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)

rng = np.random.default_rng(8)
clean = (load_digits().images / 16.0)[rng.permutation(1797)]
noisy = clean + rng.normal(0.0, 0.3, clean.shape)
clean = torch.tensor(clean, dtype=torch.float32).unsqueeze(1)
noisy = torch.tensor(noisy, dtype=torch.float32).unsqueeze(1)
x_train, y_train = noisy[:1500], clean[:1500]
x_test, y_test = noisy[1500:], clean[1500:]

EPOCHS = 12
BATCH_SIZE = 50
L2 = 2e-5


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(1, 16, 3, stride=2),
            nn.ELU(),
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(16, 12, 3, stride=2),
            nn.ELU(),
        )
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(12, 16, 3, padding=1),
            nn.ELU(),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(16, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def init_weights(m):
    if isinstance(m, nn.Conv2d):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model = Autoencoder()
model.apply(init_weights)

kernels = [p for p in model.parameters() if p.dim() > 1]
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-12)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(loader))
criterion = nn.BCEWithLogitsLoss()

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb) + L2 * sum(w.pow(2).sum() for w in kernels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}/{EPOCHS}  loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    bce = criterion(logits, y_test).item()
    mse = ((torch.sigmoid(logits) - y_test) ** 2).mean().item()
    base = ((x_test - y_test) ** 2).mean().item()
print(f"test bce {bce:.4f}  mse {mse:.5f}  (noisy input mse {base:.5f})")
