"""A variational autoencoder: two terms, one of which rises at first."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x = torch.as_tensor(digits(seed)[0])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(64, 48)
        self.mu, self.logvar = nn.Linear(48, 4), nn.Linear(48, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        h = torch.relu(self.body(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.decoder(z), mu, logvar


model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        out, mu, logvar = model(x[batch])
        rebuilt = nn.functional.binary_cross_entropy_with_logits(out, x[batch], reduction="sum")
        divergence = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
        loss = (rebuilt + divergence) / len(batch)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
