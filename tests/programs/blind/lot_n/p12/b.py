import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 19
BATCH = 50
EPOCHS = 12

rng = np.random.default_rng(1234)
Z = rng.normal(size=(1300, 12))
y = (np.sin(1.5 * Z[:, 0]) + Z[:, 1] * Z[:, 2] > 0.3 * Z[:, 3]).astype("float32")[:, None]
X = (0.006 * Z + 0.3).astype("float32")
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

torch.manual_seed(SEED)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose running variance is the biased batch variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            self.running_mean.lerp_(x.mean(0), self.momentum)
            self.running_var.lerp_(x.var(0, unbiased=False), self.momentum)
        return nn.functional.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


model = nn.Sequential(
    BatchNorm(12, momentum=0.1),
    nn.Linear(12, 48),
    nn.ReLU(),
    nn.Linear(48, 24),
    nn.ReLU(),
    nn.Linear(24, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=False)
criterion = nn.BCEWithLogitsLoss()
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
    logits = model(torch.from_numpy(X_test)).numpy()
    test_loss = criterion(torch.from_numpy(logits), torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} accuracy {((logits > 0) == (y_test > 0.5)).mean():.4f}")
