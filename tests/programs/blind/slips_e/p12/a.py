"""Convolutional denoising autoencoder on the digits images (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

BATCH = 64
EPOCHS = 20


def load_pairs():
    clean = (load_digits().images / 16.0).astype(np.float32)
    rng = np.random.default_rng(17)
    clean = clean[rng.permutation(len(clean))]
    noisy = np.clip(clean + rng.normal(0.0, 0.35, clean.shape), 0, 1).astype(np.float32)
    return noisy, clean


class DownConv(nn.Module):
    """3x3 convolution with stride 2 that halves an even-sized image."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class DenoisingAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            DownConv(1, 16), nn.ReLU(),
            DownConv(16, 32), nn.ReLU(),
            nn.Conv2d(32, 8, 1),
        )
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(8, 32, 3, padding=1), nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
        )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def main():
    torch.manual_seed(2)
    noisy, clean = (torch.from_numpy(a).unsqueeze(1) for a in load_pairs())
    x_train, y_train = noisy[:1437], clean[:1437]
    x_test, y_test = noisy[1437:], clean[1437:]

    model = DenoisingAE()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.9, eps=1e-7)

    for epoch in range(1, EPOCHS + 1):
        model.train()
        perm = torch.randperm(len(x_train))
        total = 0.0
        for idx in perm.split(BATCH):
            loss = criterion(model(x_train[idx]), y_train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}: bce {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        bce = criterion(logits, y_test).item()
        mse = F.mse_loss(torch.sigmoid(logits), y_test).item()
    print(f"test bce {bce:.4f}, mse {mse:.5f}, mse of the noisy input {F.mse_loss(x_test, y_test).item():.5f}")


if __name__ == "__main__":
    main()
