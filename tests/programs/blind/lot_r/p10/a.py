import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def spirals(per_class, seed, classes=5):
    rng = np.random.default_rng(seed)
    xs, ys = [], []
    for c in range(classes):
        r = np.linspace(0.1, 1.0, per_class)
        angle = 2 * np.pi * c / classes + 2.0 * r + 0.12 * rng.standard_normal(per_class)
        xs.append(np.stack([r * np.sin(angle), r * np.cos(angle)], axis=1))
        ys.append(np.full(per_class, c))
    return np.concatenate(xs).astype("float32"), np.concatenate(ys).astype("int64")


X, y = spirals(200, 1)
X_test, y_test = spirals(80, 2)

torch.manual_seed(55)
full = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
train_set, val_set = random_split(full, [800, 200])
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
val_loader = DataLoader(val_set, batch_size=200)

model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()


def mean_loss(loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for xb, yb in loader:
            total += criterion(model(xb), yb).item() * len(xb)
    return total / len(loader.dataset)


for epoch in range(20):
    model.train()
    total = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} loss {total / 800:.4f} val_loss {mean_loss(val_loader):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).argmax(1).numpy()
print(f"test accuracy {np.mean(pred == y_test):.4f}")
