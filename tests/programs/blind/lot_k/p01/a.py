import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def spirals(n_per_class, seed):
    rng = np.random.RandomState(seed)
    xs, ys = [], []
    for k in range(3):
        r = np.linspace(0.1, 1.0, n_per_class)
        t = 2.1 * np.pi * k / 3 + 4.0 * r + rng.normal(0, 0.15, n_per_class)
        xs.append(np.c_[r * np.cos(t), r * np.sin(t)])
        ys.append(np.full(n_per_class, k))
    return (np.concatenate(xs) * 2).astype("float32"), np.concatenate(ys).astype("int64")


x_train, y_train = spirals(200, 0)
x_test, y_test = spirals(100, 1)

torch.manual_seed(4)


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(
    dense(2, 32), nn.LeakyReLU(),
    dense(32, 32), nn.LeakyReLU(),
    dense(32, 32), nn.LeakyReLU(),
    dense(32, 3),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=40, shuffle=True)

for epoch in range(30):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")
