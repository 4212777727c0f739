"""Variational autoencoder on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(11)
torch.set_num_threads(1)

EPOCHS, BATCH, LATENT, WARMUP = 12, 64, 6, 120

images = load_digits().data.astype(np.float32) / 16.0
perm = np.random.default_rng(0).permutation(len(images))
images = images[perm]
x_train = torch.from_numpy(images[:1500])
x_test = torch.from_numpy(images[1500:])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Linear(64, 96)
        self.enc2 = nn.Linear(96, 48)
        self.mu = nn.Linear(48, LATENT)
        self.logvar = nn.Linear(48, LATENT)
        self.dec1 = nn.Linear(LATENT, 48)
        self.dec2 = nn.Linear(48, 96)
        self.out = nn.Linear(96, 64)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def encode(self, x):
        h = F.relu(self.enc2(F.relu(self.enc1(x))))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(F.relu(self.dec2(F.relu(self.dec1(z)))))


def losses(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1).mean()
    kl = -0.5 * (1.0 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1).mean()
    return rec, kl


model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x_train), batch_size=BATCH, shuffle=True, drop_last=False)

step = 0
for epoch in range(EPOCHS):
    model.train()
    tot = 0.0
    for (x,) in loader:
        beta = min(1.0, step / WARMUP)
        mu, logvar = model.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        rec, kl = losses(model.decode(z), x, mu, logvar)
        loss = rec + beta * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        tot += loss.item() * len(x)
    print(f"epoch {epoch + 1:2d}  loss {tot / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    mu, logvar = model.encode(x_test)
    rec, kl = losses(model.decode(mu), x_test, mu, logvar)
print(f"steps {step}  test reconstruction {rec.item():.4f}  test kl {kl.item():.4f}")
