import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_data():
    rng = np.random.default_rng(11)
    n = 1150
    x = rng.normal(size=(n, 10)).astype("float32")
    a = x[:, 0] * x[:, 1] + 0.6 * x[:, 2]
    b = x[:, 3] - 0.5 * x[:, 4] ** 2 + 0.3
    c = 0.8 * x[:, 5] * x[:, 6]
    y = np.argmax(np.stack([a, b, c], 1) + 0.2 * rng.normal(size=(n, 3)), 1)
    return x[:900], y[:900], x[900:], y[900:]


xtr, ytr, xte, yte = make_data()
torch.manual_seed(5)

net = nn.Sequential(nn.Linear(10, 40), nn.Tanh(), nn.Linear(40, 20), nn.Tanh(), nn.Linear(20, 3))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(xtr), torch.from_numpy(ytr)), batch_size=50, shuffle=True)
criterion = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

for epoch in range(15):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(xtr):.4f}")

net.eval()
with torch.no_grad():
    out = net(torch.from_numpy(xte))
    print("test loss %.4f" % criterion(out, torch.from_numpy(yte)).item())
    print("test accuracy %.4f" % (out.argmax(1).numpy() == yte).mean())
