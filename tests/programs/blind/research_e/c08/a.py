"""Gated recurrent cell stepped by hand, mixture-density head for a two-valued future (torch.nn)."""
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)

N_MIX, HID, EPOCHS, BATCH, T = 3, 32, 12, 50, 12

# a noisy wave; the target is its next value or the mirror image of it
rng = np.random.default_rng(2718)
n = 2400
omega, phase = rng.uniform(0.3, 0.9, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
wave = np.sin(omega * np.arange(T + 1) + phase)
seq = wave[:, :T] + 0.05 * rng.normal(size=(n, T))
y = wave[:, T] * np.where(rng.random(n) < 0.7, 1.0, -1.0) + 0.05 * rng.normal(size=n)
seq = torch.tensor(seq[:, :, None], dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)


class Cell(nn.Module):
    """one gate f; h <- (1 - f) * h + f * candidate"""

    def __init__(self, n_in, n_hid):
        super().__init__()
        self.gate = nn.Linear(n_in + n_hid, n_hid)
        self.cand = nn.Linear(n_in + n_hid, n_hid)
        for lin in (self.gate, self.cand):
            nn.init.xavier_uniform_(lin.weight)
        nn.init.constant_(self.gate.bias, -1.0)
        nn.init.zeros_(self.cand.bias)

    def forward(self, x, h):
        f = torch.sigmoid(self.gate(torch.cat([x, h], dim=1)))
        c = torch.tanh(self.cand(torch.cat([x, f * h], dim=1)))
        return (1 - f) * h + f * c


class RecurrentMDN(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell(1, HID)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(HID, 3 * N_MIX)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, seq):
        h = seq.new_zeros(seq.shape[0], HID)
        for t in range(seq.shape[1]):
            h = self.cell(seq[:, t], h)
        w, mu, s = self.head(self.drop(h)).chunk(3, dim=1)
        return MixtureSameFamily(Categorical(logits=w), Normal(mu, nn.functional.softplus(s) + 0.02))


model = RecurrentMDN()
opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, eps=1e-6, momentum=0.0, centered=False)
train = DataLoader(TensorDataset(seq[:2000], y[:2000]), batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in train:
        loss = -model(xb).log_prob(yb).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1}: nll {total / 2000:.4f}")

model.eval()
with torch.no_grad():
    print(f"test nll {-model(seq[2000:]).log_prob(y[2000:]).mean().item():.4f}")
