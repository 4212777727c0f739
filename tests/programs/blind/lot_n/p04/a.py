import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 6
BATCH = 48
EPOCHS = 12

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(55).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

torch.manual_seed(SEED)

model = nn.Sequential(
    nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 10),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
