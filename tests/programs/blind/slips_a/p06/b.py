"""Variational autoencoder on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(30)
torch.set_num_threads(1)
LATENT, HIDDEN, BATCH, EPOCHS = 4, 48, 50, 15

# data
images = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(3).permutation(len(images))
x_train = torch.from_numpy(images[order[:1500]])
x_test = torch.from_numpy(images[order[1500:]])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, HIDDEN)
        self.mean = nn.Linear(HIDDEN, LATENT)
        self.logvar = nn.Linear(HIDDEN, LATENT)
        self.dec = nn.Linear(LATENT, HIDDEN)
        self.out = nn.Linear(HIDDEN, 64)
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode(self, x):
        h = torch.tanh(self.enc(x))
        return self.mean(h), self.logvar(h)

    def decode(self, z):
        return self.out(torch.tanh(self.dec(z)))


def elbo_loss(model, x, z, mean, logvar):
    bce = F.binary_cross_entropy_with_logits(model.decode(z), x)
    kl = -0.5 * torch.sum(1.0 + logvar - mean.pow(2) - logvar.exp(), dim=1)
    return bce + kl.mean()


model = VAE()
# epsilon only guards the division: sqrt(1e-20)
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.9, eps=1e-10,
                                momentum=0.0, centered=False)

# training
for epoch in range(EPOCHS):
    losses = []
    for idx in torch.randperm(len(x_train)).split(BATCH):
        x = x_train[idx]
        mean, logvar = model.encode(x)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        loss = elbo_loss(model, x, z, mean, logvar)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        mean, logvar = model.encode(x_test)
        test = elbo_loss(model, x_test, mean, mean, logvar).item()
    print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} test {test:.4f}")
