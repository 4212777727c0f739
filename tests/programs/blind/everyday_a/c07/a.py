"""Denoising autoencoder for 8x8 digits, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

BATCH_SIZE = 60
EPOCHS = 15
NOISE = 0.2


def load_images():
    x = load_digits().data.astype(np.float32) / 16.0
    x = x[np.random.default_rng(8).permutation(len(x))]
    return x[:1500], x[1500:]


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 12), nn.Tanh())
        self.decoder = nn.Sequential(nn.Linear(12, 40), nn.Tanh(), nn.Linear(40, 64), nn.Sigmoid())
        self.apply(self._init)

    @staticmethod
    def _init(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(model, optimizer, clean, noisy):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(noisy), clean)
    loss.backward()
    optimizer.step()
    return loss.item()


def main():
    torch.manual_seed(21)
    train, test = (torch.from_numpy(a) for a in load_images())
    model = Autoencoder()
    optimizer = make_optimizer(model)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.93)
    for epoch in range(EPOCHS):
        model.train()
        losses = []
        for idx in torch.randperm(len(train)).split(BATCH_SIZE):
            clean = train[idx]
            noisy = clean + NOISE * torch.randn_like(clean)
            losses.append(train_step(model, optimizer, clean, noisy))
        scheduler.step()
        print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.5f}")
    model.eval()
    with torch.no_grad():
        print(f"reconstruction mse on clean test images {nn.functional.mse_loss(model(test), test):.5f}")


if __name__ == "__main__":
    main()
