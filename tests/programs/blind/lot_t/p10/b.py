import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_diabetes

torch.manual_seed(2)

data = load_diabetes()
perm = np.random.default_rng(0).permutation(442)
x = (data.data[perm] / data.data.std(axis=0)).astype("float32")
y = data.target[perm]
y = ((y - y[:340].mean()) / y[:340].std()).astype("float32")[:, None]
x, y = torch.from_numpy(x), torch.from_numpy(y)

reg = 0.01
model = nn.Sequential(nn.Linear(10, 32), nn.Softplus(), nn.Linear(32, 16), nn.Softplus(), nn.Linear(16, 1))
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)


def l2_penalty():
    return reg * sum(m.weight.pow(2).sum() for m in linears)


criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(x[:340], y[:340]), batch_size=34, shuffle=True)


@torch.no_grad()
def validate():
    model.eval()
    return criterion(model(x[340:]), y[340:]).item()


for e in range(30):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb) + l2_penalty()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {e + 1} loss {total / 340:.4f} val_loss {validate():.4f}")
print("final validation loss", validate())
