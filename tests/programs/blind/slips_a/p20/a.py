"""One-step-ahead forecast of a modulated wave with an LSTM."""
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(21)

T, HIDDEN, BATCH, EPOCHS = 20, 24, 40, 10
rng = np.random.default_rng(99)
t = np.arange(1400)
series = np.sin(0.21 * t) * (1 + 0.4 * np.sin(0.017 * t)) + 0.05 * rng.standard_normal(len(t))
windows = np.stack([series[i:i + T] for i in range(len(t) - T)]).astype("float32")[:, :, None]
targets = series[T:].astype("float32")
perm = rng.permutation(len(windows))
train, test = perm[:1100], perm[1100:]
x_train, y_train = torch.from_numpy(windows[train]), torch.from_numpy(targets[train])
x_test, y_test = torch.from_numpy(windows[test]), torch.from_numpy(targets[test])


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_ih_l0.data[HIDDEN:2 * HIDDEN] = 1.0
        self.lstm.bias_hh_l0.requires_grad_(False)  # a single bias per gate
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        h, _ = self.lstm(x)
        return self.out(h[:, -1])


model = Forecaster()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.RMSprop(params, lr=2e-3, alpha=0.9, eps=1e-7, momentum=0.0, centered=False)
mse = nn.MSELoss()


def clip_global(parameters, limit):
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in parameters))
    if norm > limit:
        for p in parameters:
            p.grad.mul_(limit / norm)


for epoch in range(EPOCHS):
    total = 0.0
    order = torch.randperm(len(x_train))
    for start in range(0, len(order), BATCH):
        sel = order[start:start + BATCH]
        optimizer.zero_grad()
        loss = mse(model(x_train[sel]), y_train[sel])
        loss.backward()
        clip_global(params, 0.5)
        optimizer.step()
        total += loss.item() * len(sel)
    print(f"epoch {epoch + 1} train mse {total / len(x_train):.5f}")

with torch.no_grad():
    print(f"test mse {mse(model(x_test), y_test).item():.5f}")
