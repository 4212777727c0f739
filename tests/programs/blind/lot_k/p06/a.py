import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(31)


def surface(n):
    x = rng.uniform(-1, 1, (n, 2))
    y = np.sin(4 * x[:, 0]) * np.cos(3 * x[:, 1]) + 0.5 * x[:, 0] * x[:, 1]
    return x.astype("float32"), (y + rng.normal(0, 0.05, n))[:, None].astype("float32")


x_train, y_train = surface(600)
x_test, y_test = surface(300)

TOWERS, WIDTH = 5, 6
torch.manual_seed(2)


def linear(i, o):
    m = nn.Linear(i, o)
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
    return m


class Committee(nn.Module):
    def __init__(self):
        super().__init__()
        self.towers = nn.ModuleList(
            nn.Sequential(linear(2, WIDTH), nn.Tanh(), linear(WIDTH, WIDTH), nn.Tanh(), linear(WIDTH, 1))
            for _ in range(TOWERS))

    def forward(self, x):
        return torch.stack([tower(x) for tower in self.towers]).mean(0)


model = Committee()
mse = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)
dataset = torch.utils.data.TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train))
loader = torch.utils.data.DataLoader(dataset, batch_size=50, shuffle=True)

for epoch in range(40):
    s = 0.0
    for xb, yb in loader:
        loss = mse(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        s += loss.item() * len(xb)
    if (epoch + 1) % 8 == 0:
        print("epoch", epoch + 1, "mse", round(s / len(x_train), 5))

with torch.no_grad():
    print("test mse", round(mse(model(torch.from_numpy(x_test)), torch.from_numpy(y_test)).item(), 5))
