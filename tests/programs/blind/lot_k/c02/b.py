import numpy as np
import torch
from torch import nn


def series(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(21)
    freq = rng.uniform(0.2, 0.6, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    clean = np.sin(freq * t + phase) + 0.4 * np.sin(2 * freq * t)
    noisy = clean + rng.normal(0, 0.05, clean.shape)
    x = np.stack([noisy[:, :-1], np.diff(noisy, axis=1, prepend=noisy[:, :1])[:, :-1]], axis=-1)
    return x.astype("float32"), clean[:, -1:].astype("float32")


x_train, y_train = (torch.from_numpy(v) for v in series(500, 0))
x_test, y_test = (torch.from_numpy(v) for v in series(250, 1))

torch.manual_seed(13)


class Forecaster(nn.Module):
    def __init__(self, units=20):
        super().__init__()
        self.gru = nn.GRU(2, units, batch_first=True)
        self.out = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.out(states[:, -1])


model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, betas=(0.9, 0.999), eps=1e-12)
loss_fn = nn.HuberLoss(delta=1.0)

for epoch in range(25):
    running = 0.0
    for idx in torch.randperm(500).split(50):
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    if epoch % 6 == 0:
        print("epoch %2d huber %.5f" % (epoch, running / 500))

with torch.no_grad():
    pred = model(x_test)
print("test rmse %.4f" % torch.sqrt(torch.mean((pred - y_test) ** 2)).item())
