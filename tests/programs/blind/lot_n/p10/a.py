import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
BATCH = 30
EPOCHS = 10


def make_split(per_class, means, mixers, rng):
    xs, ys = [], []
    for c, (m, w) in enumerate(zip(means, mixers)):
        xs.append(m + rng.normal(size=(per_class, 10)) @ w)
        ys.append(np.full(per_class, c))
    return np.concatenate(xs).astype("float32"), np.concatenate(ys).astype("int64")


rng = np.random.default_rng(500)
means = rng.normal(0, 1.0, (5, 10))
mixers = rng.normal(0, 0.35, (5, 10, 10))
X_train, y_train = make_split(300, means, mixers, rng)
X_test, y_test = make_split(80, means, mixers, rng)

torch.manual_seed(SEED)

model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 5))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.0)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
