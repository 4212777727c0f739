import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(9)

rng = np.random.default_rng(31)
centers = rng.normal(0, 1.0, (6, 20))
labels = rng.integers(0, 6, 1600)
points = centers[labels] + rng.normal(0, 1.6, (1600, 20))
noisy = labels.copy()
flip = rng.random(1600) < 0.15
noisy[flip] = rng.integers(0, 6, flip.sum())
x = torch.tensor(points, dtype=torch.float32)
x_train, y_train = x[:800], torch.tensor(noisy[:800])
x_test, y_test = x[800:], torch.tensor(labels[800:])

model = nn.Sequential(
    nn.Linear(20, 64),
    nn.Tanh(),
    nn.Linear(64, 64),
    nn.Tanh(),
    nn.Linear(64, 6),
)


@torch.no_grad()
def glorot(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        m.bias.zero_()


model.apply(glorot)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
loss_fn = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

for epoch in range(16):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {loss_fn(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
