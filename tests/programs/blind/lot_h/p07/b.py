import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 50
EPOCHS = 20
LR = 0.02


def make_data():
    rng = np.random.default_rng(123)
    x = rng.uniform(size=(1250, 6))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + 0.5 * rng.normal(size=1250)
    x = (x - x[:1000].mean(0)) / x[:1000].std(0)
    y = y / 10.0
    x, y = x.astype("float32"), y.astype("float32")
    return x[:1000], y[:1000], x[1000:], y[1000:]


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 32)
        self.fc2 = nn.Linear(32, 16)
        self.fc3 = nn.Linear(16, 1)
        for fc in (self.fc1, self.fc2, self.fc3):
            bound = math.sqrt(6.0 / (fc.in_features + fc.out_features))
            nn.init.uniform_(fc.weight, -bound, bound)
            nn.init.uniform_(fc.bias, -bound, bound)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


def half_squared_error(pred, target):
    return 0.5 * ((pred - target) ** 2).mean()


def main():
    torch.manual_seed(19)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    loader = DataLoader(TensorDataset(xtr, ytr), batch_size=BATCH, shuffle=True)
    model = Regressor()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, nesterov=True)
    for epoch in range(EPOCHS):
        for xb, yb in loader:
            loss = half_squared_error(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        print("train mse %.4f" % np.mean((model(xtr).numpy().ravel() - ytr.numpy()) ** 2))
        print("test mse %.4f" % np.mean((model(xte).numpy().ravel() - yte.numpy()) ** 2))


if __name__ == "__main__":
    main()
