import numpy as np
import torch
from torch import nn

LABELS = 6
rng = np.random.RandomState(40)
X = rng.normal(0, 1, (1000, 15)).astype(np.float32)
A = rng.normal(0, 1, (15, LABELS)) / np.sqrt(15)
B = rng.normal(0, 1, (15, LABELS)) / np.sqrt(15)
score = 2 * X @ A + (X @ B) ** 2 - 1
Y = (score + rng.normal(0, 0.3, score.shape) > 0).astype(int)
X_train, Y_train, X_test, Y_test = X[:700], Y[:700], X[700:], Y[700:]

torch.manual_seed(28)
net = nn.Sequential(nn.Linear(15, 40), nn.ReLU(), nn.Linear(40, LABELS))
for m in (net[0], net[2]):
    bound = np.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.from_numpy(X_train), torch.from_numpy(Y_train).float()),
    batch_size=35, shuffle=True)

for epoch in range(25):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()


def report(name, x, y):
    with torch.no_grad():
        p = torch.sigmoid(net(torch.from_numpy(x))).double().numpy()
    p = np.clip(p, 1e-7, 1 - 1e-7)
    bce = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    print(f"{name}: bce per label {bce:.4f}  label accuracy {((p > 0.5) == y).mean():.4f}")


report("train", X_train, Y_train)
report("test", X_test, Y_test)
