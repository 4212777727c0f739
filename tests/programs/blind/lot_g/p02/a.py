# Which of four compounds is in the sample? Absorbance spectra, PyTorch.
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)

rng = np.random.default_rng(77)
N, D, K = 1500, 48, 4
wave = np.linspace(0.0, 1.0, D)
centres = rng.uniform(0.1, 0.9, size=(K, 3))
widths = rng.uniform(0.03, 0.08, size=(K, 3))
heights = rng.uniform(0.5, 1.0, size=(K, 3))
bands = (heights[:, :, None] * np.exp(-0.5 * ((wave - centres[:, :, None]) / widths[:, :, None]) ** 2)).sum(axis=1)
labels = rng.integers(0, K, size=N)
mix = rng.dirichlet(np.ones(K), size=N) * 0.9
mix[np.arange(N), labels] += 0.6
spectra = 0.03 * mix @ bands + 0.002 * rng.standard_normal((N, D)) + 0.005 * rng.standard_normal((N, 1))
spectra = spectra.astype(np.float32)
labels = labels.astype(np.int64)
train_x, test_x = torch.tensor(spectra[:1100]), torch.tensor(spectra[1100:])
train_y, test_y = torch.tensor(labels[:1100]), torch.tensor(labels[1100:])


def linear(i, o):
    m = nn.Linear(i, o)
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
    return m


net = nn.Sequential(
    nn.LayerNorm(D),
    linear(D, 64),
    nn.ReLU(),
    nn.Dropout(0.1),
    linear(64, 32),
    nn.ReLU(),
    linear(32, K),
)
criterion = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=44, shuffle=True)

for epoch in range(16):
    net.train()
    running = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * xb.size(0)
    net.eval()
    with torch.no_grad():
        val = criterion(net(test_x), test_y).item()
    print("epoch %2d  loss %.4f  val_loss %.4f" % (epoch + 1, running / len(train_x), val))

net.eval()
with torch.no_grad():
    out = net(test_x)
print("test loss %.4f  test accuracy %.4f" % (criterion(out, test_y).item(),
                                              (out.argmax(1) == test_y).float().mean().item()))
