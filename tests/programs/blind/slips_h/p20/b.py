"""Three-output regression with own layer norm and an accumulation loop (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(11)
torch.set_num_threads(1)


def toy(n, seed):
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, 8))
    t = np.stack([
        np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2],
        np.abs(x[:, 3]) - 0.8 * x[:, 4],
        np.tanh(x[:, 5] + x[:, 6]) + 0.3 * x[:, 7] ** 2,
    ], axis=1)
    t += 0.05 * r.normal(size=t.shape)
    return x.astype("float32"), t.astype("float32")


x_train, t_train = map(torch.from_numpy, toy(960, 100))
x_test, t_test = map(torch.from_numpy, toy(320, 101))


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.offset = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        return self.scale * (x - mean) * torch.rsqrt(var + 1e-5) + self.offset


class Gelu(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0)))


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(
    linear(8, 48), Norm(48), Gelu(),
    linear(48, 24), Norm(24), Gelu(),
    linear(24, 3),
)
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.08, initial_accumulator_value=0.1, eps=1e-12)
ACCUM = 4


def micro_step(xb, tb, k):
    """Add one batch's share to the gradients; update after every ACCUM batches."""
    loss = ((model(xb) - tb) ** 2).mean()
    loss.backward()
    if (k + 1) % ACCUM == 0:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


if __name__ == "__main__":
    for epoch in range(9):
        perm = torch.randperm(len(x_train))
        losses = [micro_step(x_train[i], t_train[i], k) for k, i in enumerate(perm.split(16))]
        print(f"epoch {epoch + 1}: mse {np.mean(losses):.4f}")
    with torch.no_grad():
        print(f"test mse {((model(x_test) - t_test) ** 2).mean().item():.5f}")
