import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def backbone():
    """Principal directions and normalisation statistics of the source domain."""
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(10, 10)) / np.sqrt(10)
    source = rng.normal(size=(4000, 10)) @ mix
    _, _, vt = np.linalg.svd(source - source.mean(0), full_matrices=False)
    proj = vt.T
    z = source @ proj
    return mix, proj.astype("float32"), z.mean(0).astype("float32"), z.var(0).astype("float32")


mix, proj, mean, var = backbone()
rng = np.random.default_rng(2)
latent = rng.normal(size=(1000, 10))
site = rng.normal(size=(1000, 1))
x = ((0.7 * latent + 0.8 * site + 0.6) @ mix).astype("float32")
y = (np.tanh(latent[:, 0] + site[:, 0]) + 0.6 * latent[:, 1] + 0.8 * site[:, 0])[:, None].astype("float32")
x_train, y_train, x_test, y_test = x[:768], y[:768], x[768:], y[768:]
x_train, y_train, x_test, y_test = map(torch.from_numpy, (x_train, y_train, x_test, y_test))

torch.manual_seed(31)
features = nn.Linear(10, 10, bias=False)
norm = nn.BatchNorm1d(10, momentum=0.1, eps=1e-5)
head = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))
with torch.no_grad():
    features.weight.copy_(torch.from_numpy(proj.T))
    norm.running_mean.copy_(torch.from_numpy(mean))
    norm.running_var.copy_(torch.from_numpy(var))
for layer in (head[0], head[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
for p in list(features.parameters()) + list(norm.parameters()):
    p.requires_grad = False
model = nn.Sequential(features, norm, head)

mse = nn.MSELoss()
opt = torch.optim.SGD(head.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=8, shuffle=True)
for epoch in range(5):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch} train {total / len(x_train):.4f}")
model.eval()
with torch.no_grad():
    print(f"train mse {mse(model(x_train), y_train).item():.4f}")
    print(f"test mse {mse(model(x_test), y_test).item():.4f}")
