import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)


HID = 16


def make_data(n=760, steps=20):
    rng = np.random.default_rng(23)
    x = rng.normal(size=(n, steps, 3)).astype("float32")
    level = np.zeros(n)
    for t in range(steps):
        level = 0.9 * level + np.tanh(x[:, t, 0]) * (x[:, t, 1] > 0) + 0.3 * x[:, t, 2]
    return x, (level / level.std()).astype("float32")[:, None]


def encoder_weights():
    """Encoder of the older system: kernel, recurrent kernel, bias."""
    rng = np.random.default_rng(99)
    kernel = rng.normal(0, 0.15, size=(3, 4 * HID))
    recurrent = rng.normal(0, 0.08, size=(HID, 4 * HID))
    bias = np.zeros(4 * HID)
    kernel[:, 2 * HID:3 * HID] = rng.normal(0, 0.7, size=(3, HID))
    bias[HID:2 * HID] = 2.0
    bias[3 * HID:] = 1.5
    return [kernel.astype("float32"), recurrent.astype("float32"), bias.astype("float32")]


class Encoder(nn.Module):
    def __init__(self, kernel, recurrent, bias):
        super().__init__()
        self.kernel = nn.Parameter(torch.from_numpy(kernel))
        self.recurrent = nn.Parameter(torch.from_numpy(recurrent))
        self.bias = nn.Parameter(torch.from_numpy(bias))

    def forward(self, x):
        h = x.new_zeros(x.shape[0], HID)
        c = x.new_zeros(x.shape[0], HID)
        for t in range(x.shape[1]):
            gates = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, o, g = gates.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(*encoder_weights())
        self.head = nn.Linear(HID, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.encoder(x))


x, y = make_data()
x, y = torch.from_numpy(x), torch.from_numpy(y)
train = DataLoader(TensorDataset(x[:600], y[:600]), batch_size=30, shuffle=True)
model = Model()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
mse = nn.MSELoss()

for epoch in range(1, 11):
    seen = 0.0
    for xb, yb in train:
        loss = mse(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += loss.item() * len(xb)
    with torch.no_grad():
        val = mse(model(x[600:]), y[600:]).item()
    print(f"epoch {epoch}: train {seen / 600:.4f} val {val:.4f}")
