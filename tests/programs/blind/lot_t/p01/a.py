"""Churn-like classifier on noisy tabular data, PyTorch."""
import numpy as np
import torch
from torch import nn

L2 = 0.01
BATCH = 50
EPOCHS = 30


def make_data():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(900, 24)).astype("float32")
    score = x[:, 0] - 0.8 * x[:, 1] + 0.7 * x[:, 2] * x[:, 3] + 0.9 * rng.normal(size=900)
    y = np.digitize(score, [-0.6, 0.6]).astype("int64")
    return x[:600], y[:600], x[600:], y[600:]


torch.manual_seed(3)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())

model = nn.Sequential(
    nn.Linear(24, 64), nn.ReLU(),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Linear(32, 3),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

kernels = [m.weight for m in model if isinstance(m, nn.Linear)]
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(EPOCHS):
    model.train()
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        xb, yb = x_train[idx], y_train[idx]
        optimizer.zero_grad()
        data_loss = criterion(model(xb), yb)
        penalty = L2 * sum((w ** 2).sum() for w in kernels)
        (data_loss + penalty).backward()
        optimizer.step()
        total += data_loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  cross-entropy {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print("test cross-entropy", round(criterion(logits, y_test).item(), 4))
    print("test accuracy", round((logits.argmax(1) == y_test).float().mean().item(), 4))
