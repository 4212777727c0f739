"""Regression on correlated measurements; the first layer starts as a whitening transform. PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N, HID = 20, 32


def measurements():
    rng = np.random.RandomState(8)
    n = 1440
    latent = rng.randn(n, N)
    spread = np.geomspace(2.5, 0.15, N)
    mixing = np.linalg.qr(rng.randn(N, N))[0]
    x = (latent * spread) @ mixing.T
    y = np.sin(1.5 * latent[:, 17]) + 0.5 * latent[:, 19] + 0.3 * latent[:, 18] * latent[:, 16]
    return x.astype("float32"), y.astype("float32")[:, None]


def start(sample):
    """Matrices for y = x @ w + b; the first one whitens the sample along its principal axes."""
    values, axes = np.linalg.eigh(np.cov(sample.astype("float64"), rowvar=False))
    whiten = axes / np.sqrt(values)
    rng = np.random.RandomState(21)
    lim1, lim2 = np.sqrt(6 / (N + HID)), np.sqrt(6 / (HID + 1))
    w1 = rng.uniform(-lim1, lim1, size=(N, HID))
    w2 = rng.uniform(-lim2, lim2, size=(HID, 1))
    return [v.astype("float32") for v in (whiten, w1, np.zeros(HID), w2, np.zeros(1))]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.front = nn.Linear(N, N, bias=False)
        self.hidden = nn.Linear(N, HID)
        self.out = nn.Linear(HID, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(self.front(x))))


x, y = measurements()
x_train, y_train, x_test, y_test = x[:1080], y[:1080], x[1080:], y[1080:]

torch.manual_seed(10)
net = Net()
whiten, w1, b1, w2, b2 = map(torch.from_numpy, start(x_train))
net.load_state_dict({
    "front.weight": whiten.reshape(net.front.weight.shape),
    "hidden.weight": w1.T, "hidden.bias": b1,
    "out.weight": w2.T, "out.bias": b2,
})

optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
loss_fn = nn.MSELoss()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=60, shuffle=True)
for epoch in range(25):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1:2d} mse {total / len(y_train):.4f}")

with torch.no_grad():
    print(f"test mse {loss_fn(net(torch.from_numpy(x_test)), torch.from_numpy(y_test)).item():.4f}")
