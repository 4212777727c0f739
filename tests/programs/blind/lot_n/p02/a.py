import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

SEED = 1
BATCH = 60
EPOCHS = 12

digits = load_digits()
X = ((digits.data - 8.0) / 8.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(12).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

torch.manual_seed(SEED)
shuffler = np.random.default_rng(SEED)

model = nn.Sequential(
    nn.Linear(64, 48), nn.Tanh(),
    nn.Linear(48, 32), nn.Tanh(),
    nn.Linear(32, 10),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, weight_decay=1e-2)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        xb, yb = torch.from_numpy(X_train[idx]), torch.from_numpy(y_train[idx])
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(perm):.4f}")

with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
