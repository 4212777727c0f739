import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

T, H = 16, 32
N, BATCH, EPOCHS = 800, 40, 7


def make_data():
    rng = np.random.default_rng(31)
    n = N + 200
    x = 0.5 * rng.normal(size=(n, T, 2))
    x[:, 0] *= 2.0
    y = np.tanh(x[:, 0].sum(1) + x[:, 1].sum(1))
    y = y / y.std()
    x, y = x.astype("float32"), y.astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, H, batch_first=True)
        self.fc = nn.Linear(H, 1)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        seq, last = self.gru(x)
        return self.fc(last[0])


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)


def main():
    torch.manual_seed(1003)
    xtr, ytr, xte, yte = map(torch.from_numpy, make_data())
    loader = DataLoader(TensorDataset(xtr, ytr[:, None]), batch_size=BATCH, shuffle=True)
    model = Net()
    opt = make_optimizer(model)
    mse = nn.MSELoss()
    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = mse(model(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        print("epoch %d mse %.4f" % (epoch + 1, total / N))
    with torch.no_grad():
        print("test mse %.4f" % mse(model(xte), yte[:, None]).item())


if __name__ == "__main__":
    main()
