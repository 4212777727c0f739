import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(12)


def reflectance(n, seed):
    """Twelve band reflectances (fractions) and a vegetation index to predict."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(0, 1, (n, 4))
    mix = np.random.default_rng(77).normal(0, 1, (4, 12))
    scale = np.geomspace(0.006, 0.03, 12)
    bands = 0.15 + scale * (latent @ mix / 2 + 0.2 * rng.normal(0, 1, (n, 12)))
    target = np.sin(1.5 * latent[:, 0]) + 0.5 * latent[:, 1] * latent[:, 2] + 0.3 * latent[:, 3]
    return torch.from_numpy(bands.astype("float32")), torch.from_numpy(target[:, None].astype("float32"))


x_train, y_train = reflectance(1500, 0)
x_test, y_test = reflectance(500, 1)


class BatchNorm(nn.BatchNorm1d):
    """Keeps the population variance of each batch in its running estimate."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            self.running_mean.lerp_(x.mean(0), self.momentum)
            self.running_var.lerp_(x.var(0, unbiased=False), self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


model = nn.Sequential(
    BatchNorm(12, momentum=0.1),
    nn.Linear(12, 48),
    nn.Tanh(),
    nn.Linear(48, 24),
    nn.Tanh(),
    nn.Linear(24, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
loss_fn = nn.MSELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)

for epoch in range(1, 16):
    model.train()
    total = 0.0
    for rows in torch.randperm(1500).split(50):
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(rows)
    print("epoch %2d  mse %.4f" % (epoch, total / 1500))

model.eval()
with torch.no_grad():
    print("test mse %.4f" % loss_fn(model(x_test), y_test).item())
