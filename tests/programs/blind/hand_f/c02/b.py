"""PyTorch: the same sequence task with an LSTM cell written by hand."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_data(n, rng, steps=20):
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    freq = rng.uniform(0.15, 0.6, (n, 1))
    t = np.arange(steps)[None, :]
    first = np.sin(freq * t + phase)
    second = rng.normal(0, 0.7, (n, steps))
    x = np.stack([first + rng.normal(0, 0.05, (n, steps)), second], axis=-1)
    target = np.sin(freq[:, 0] * (steps + 1) + phase[:, 0]) + 0.5 * second[:, -3]
    return x.astype("float32"), target[:, None].astype("float32")


rng = np.random.default_rng(11)
x_train, y_train = map(torch.from_numpy, make_data(960, rng))
x_test, y_test = map(torch.from_numpy, make_data(240, rng))

torch.manual_seed(5)


class HandLSTM(nn.Module):
    """Gates in the order input, forget, candidate, output; a single bias."""

    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(n_in, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[units : 2 * units] = 1.0

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = HandLSTM(2, 24)
        self.head = nn.Linear(24, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.lstm(x))


model = Net()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(xb, yb):
    optimizer.zero_grad()
    loss = criterion(model(xb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
for epoch in range(1, 9):
    model.train()
    total = 0.0
    for xb, yb in loader:
        total += train_step(xb, yb) * len(xb)
    print(f"epoch {epoch}: train mse {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {criterion(model(x_test), y_test).item():.4f}")
