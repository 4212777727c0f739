import numpy as np
import torch
from torch import nn

EPOCHS = 40
BATCH = 50


def make_data():
    rng = np.random.default_rng(31)
    X = rng.normal(size=(1300, 20)).astype("float32")
    score = X[:, 0] * X[:, 1] + X[:, 2] - 0.8 * X[:, 3] + 0.5 * X[:, 4]
    y = (score + 0.6 * rng.normal(size=1300) > 0).astype("int64")
    return X[:300], y[:300], X[300:], y[300:]


X_train, y_train, X_test, y_test = (torch.from_numpy(v) for v in make_data())
torch.manual_seed(10)


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(
    dense(20, 96), nn.ReLU(), nn.Dropout(0.5),
    dense(96, 96), nn.ReLU(), nn.Dropout(0.5),
    dense(96, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    perm = torch.randperm(len(X_train))
    for start in range(0, len(perm), BATCH):
        rows = perm[start:start + BATCH]
        optimizer.zero_grad()
        loss = criterion(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    if (epoch + 1) % 5 == 0:
        model.eval()
        with torch.no_grad():
            out = model(X_test)
            test_loss = criterion(out, y_test).item()
            acc = (out.argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch + 1:2d} train {total / len(X_train):.4f} test {test_loss:.4f} acc {acc:.4f}")
