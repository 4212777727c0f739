import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 14
BATCH = 64
EPOCHS = 15

rng = np.random.default_rng(33)
X = rng.normal(size=(1600, 20)).astype("float32")
A = rng.normal(size=(20, 12)) / np.sqrt(20)
B = rng.normal(size=(12, 8))
Y = (np.tanh(1.5 * X @ A) @ B + 0.2 * rng.normal(size=(1600, 8))).astype("float32")
X_train, Y_train, X_test, Y_test = X[:1300], Y[:1300], X[1300:], Y[1300:]

torch.manual_seed(SEED)

model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 8))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)

similarity = nn.CosineSimilarity(dim=1)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(Y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        loss = similarity(model(xb), yb).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

with torch.no_grad():
    test_loss = similarity(model(torch.from_numpy(X_test)), torch.from_numpy(Y_test)).mean().item()
print(f"test loss {test_loss:.4f}")
