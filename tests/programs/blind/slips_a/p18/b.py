"""Denoising autoencoder on the 8x8 digits, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)

clean = (load_digits().data / 16.0).astype("float32")
noise_rng = np.random.default_rng(12)
order = noise_rng.permutation(len(clean))
clean = clean[order]
noisy = np.clip(clean + noise_rng.normal(0.0, 0.25, clean.shape), 0.0, 1.0).astype("float32")
x_train, t_train = noisy[:1440], clean[:1440]
x_test, t_test = noisy[1440:], clean[1440:]

BATCH, EPOCHS = 48, 15


class AutoEncoder(nn.Module):
    def __init__(self, n_pixels=64, n_hidden=48, n_code=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_pixels, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_code))
        self.decoder = nn.Sequential(nn.Linear(n_code, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_pixels))
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = AutoEncoder()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1.5e-3, eps=1e-15, momentum=0.0)
criterion = nn.BCEWithLogitsLoss()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(t_train)), batch_size=BATCH, shuffle=True
)

# ---- training
for epoch in range(EPOCHS):
    model.train()
    total, seen = 0.0, 0
    for xb, tb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), tb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    print(f"epoch {epoch + 1}: bce {total / seen:.5f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(t_test)
    print(f"test bce {criterion(logits, target).item():.5f}")
    mse = (torch.sigmoid(logits) - target).pow(2).mean().item()
print(f"test mse {mse:.5f}, noisy input {np.mean((x_test - t_test) ** 2):.5f}")
