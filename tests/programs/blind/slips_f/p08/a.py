"""Denoising convolutional autoencoder on the 8x8 digits (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 11
torch.manual_seed(SEED)
torch.set_num_threads(1)

images = load_digits().images.astype(np.float32) / 16.0
rng = np.random.default_rng(123)
images = images[rng.permutation(len(images))][:, None]
noisy = np.clip(images + 0.25 * rng.standard_normal(images.shape), 0, 1).astype(np.float32)
x_train, t_train = torch.from_numpy(noisy[:1500]), torch.from_numpy(images[:1500])
x_test, t_test = torch.from_numpy(noisy[1500:]), torch.from_numpy(images[1500:])


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 24, 3, stride=2, padding=1), nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(24, 16, 2, stride=2), nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = Autoencoder()
optimizer = torch.optim.RMSprop(model.parameters(), lr=4e-3, alpha=0.95, eps=1e-6)
criterion = nn.SmoothL1Loss(beta=0.5)
loader = DataLoader(TensorDataset(x_train, t_train), batch_size=64, shuffle=True)

for epoch in range(12):
    model.train()
    total = 0.0
    for xb, tb in loader:
        loss = criterion(model(xb), tb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  train loss {total / len(x_train):.5f}")

model.eval()
with torch.no_grad():
    out = model(x_test)
    print(f"test loss {criterion(out, t_test).item():.5f}  "
          f"test mse {((out - t_test) ** 2).mean().item():.5f}  "
          f"noisy input mse {((x_test - t_test) ** 2).mean().item():.5f}")
