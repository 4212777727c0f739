# VAE for the small digits, PyTorch
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(205)

images = (load_digits().data / 16.0).astype("float32")
order = np.random.default_rng(0).permutation(len(images))
x_train = torch.from_numpy(images[order[:1497]])
x_test = torch.from_numpy(images[order[1497:]])

latent_dim = 8
hidden = 56
epochs = 15
warmup_steps = 120


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(64, hidden)
        self.mu = nn.Linear(hidden, latent_dim)
        self.logvar = nn.Linear(hidden, latent_dim)

    def forward(self, x):
        h = F.elu(self.body(x))
        return self.mu(h), self.logvar(h)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.Sequential(nn.Linear(latent_dim, hidden), nn.ELU(), nn.Linear(hidden, 64))
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x, sample=True):
        mu, logvar = self.encoder(x)
        z = mu
        if sample:
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decoder(z), mu, logvar


def elbo_terms(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1).mean()
    return rec, kl


vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(x_train), batch_size=64, shuffle=True, drop_last=False)


@torch.no_grad()
def evaluate():
    vae.eval()
    rec, kl = elbo_terms(x_test, *vae(x_test, sample=False))
    vae.train()
    return rec.item(), kl.item()


print("before: rec %.3f kl %.3f" % evaluate())
step = 0
for epoch in range(epochs):
    total = 0.0
    for (xb,) in loader:
        beta = min(1.0, (step + 1) / warmup_steps)
        rec, kl = elbo_terms(xb, *vae(xb))
        loss = rec + beta * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
        step += 1
    if epoch % 5 == 0:
        print("epoch %d train loss %.3f" % (epoch + 1, total / len(x_train)))
print("after: rec %.3f kl %.3f" % evaluate())
