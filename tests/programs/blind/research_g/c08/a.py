"""Mixture-density network on a minimal gated recurrent cell stepped in Python. PyTorch module."""
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
torch.set_num_threads(1)

N, LENGTH, BATCH, EPOCHS, HIDDEN, COMPONENTS = 600, 18, 50, 20, 24, 3

rng = np.random.default_rng(30)
series = np.zeros((N + 150, LENGTH + 1))
series[:, 0] = rng.uniform(-1, 1, N + 150)
velocity = rng.choice([-0.3, 0.3], N + 150)
for k in range(1, LENGTH + 1):
    flip = rng.random(N + 150) < 0.15           # the direction turns now and then
    velocity = np.where(flip, -velocity, velocity)
    series[:, k] = np.sin(series[:, k - 1] + velocity) * 1.05 + 0.04 * rng.standard_normal(N + 150)
series = series.astype(np.float32)[:, :, None]
train, test = torch.from_numpy(series[:N]), torch.from_numpy(series[N:])


class GatedCell(nn.Module):
    """f = sigmoid(Wf x + Uf h + bf);  c = tanh(Wc x + Uc (f h) + bc);  h' = (1-f) h + f c"""

    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.in_f = nn.Linear(n_in, n_hidden)
        self.in_c = nn.Linear(n_in, n_hidden)
        self.rec_f = nn.Linear(n_hidden, n_hidden, bias=False)
        self.rec_c = nn.Linear(n_hidden, n_hidden, bias=False)
        for lin in (self.in_f, self.in_c):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        for lin in (self.rec_f, self.rec_c):
            nn.init.orthogonal_(lin.weight)

    def forward(self, x, h):
        f = torch.sigmoid(self.in_f(x) + self.rec_f(h))
        c = torch.tanh(self.in_c(x) + self.rec_c(f * h))
        return (1.0 - f) * h + f * c


class MDN(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = GatedCell(1, HIDDEN)
        self.head = nn.Linear(HIDDEN, 3 * COMPONENTS)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], HIDDEN)
        states = []
        for k in range(x.shape[1]):
            h = self.cell(x[:, k], h)
            states.append(h)
        logits, means, raw = self.head(torch.stack(states, dim=1)).chunk(3, dim=-1)
        scales = nn.functional.softplus(raw) + 1e-2
        return MixtureSameFamily(Categorical(logits=logits, validate_args=False),
                                 Normal(means, scales, validate_args=False), validate_args=False)


def nll(model, batch):
    return -model(batch[:, :-1]).log_prob(batch[:, 1:, 0]).mean()


model = MDN()
optimizer = torch.optim.Adamax(model.parameters(), lr=8e-3, betas=(0.9, 0.999), eps=1e-8)
loader = DataLoader(TensorDataset(train), batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for (batch,) in loader:
        optimizer.zero_grad()
        loss = nll(model, batch)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1:2d}  train nll {total / N:.4f}")

with torch.no_grad():
    print(f"test nll {nll(model, test).item():.4f}")
