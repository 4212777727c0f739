import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

raw = load_diabetes()
order = np.random.RandomState(5).permutation(len(raw.target))
X, y = raw.data[order], raw.target[order]
X = ((X - X[:340].mean(0)) / X[:340].std(0)).astype("float32")
y = ((y - y[:340].mean()) / y[:340].std()).astype("float32")[:, None]
X_train, y_train = torch.from_numpy(X[:340]), torch.from_numpy(y[:340])
X_test, y_test = torch.from_numpy(X[340:]), torch.from_numpy(y[340:])

torch.manual_seed(14)
L2 = 0.01

model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Linear(24, 12), nn.Tanh(), nn.Linear(12, 1))
kernels = []
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        kernels.append(layer.weight)

criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)


def test_loss():
    model.eval()
    with torch.no_grad():
        return criterion(model(X_test), y_test).item()


for e in range(40):
    model.train()
    perm = torch.randperm(len(X_train))
    running = 0.0
    for batch in perm.split(34):
        loss = criterion(model(X_train[batch]), y_train[batch])
        loss = loss + L2 * sum(k.square().sum() for k in kernels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(batch)
    if e % 10 == 9:
        print(f"epoch {e + 1}: train objective {running / len(X_train):.4f}  test loss {test_loss():.4f}")
print(f"final test loss {test_loss():.4f}")
