import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

EPOCHS, BATCH, LR, DECAY_STEPS = 12, 64, 0.2, 138

digits = load_digits()
order = np.random.RandomState(5).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
X_train, y_train = X[:1437], y[:1437]
X_test, y_test = X[1437:], y[1437:]

torch.manual_seed(8)
model = nn.Sequential(
    nn.Linear(64, 48), nn.Tanh(),
    nn.Linear(48, 24), nn.Tanh(),
    nn.Linear(24, 10),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

train = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
    batch_size=BATCH, shuffle=True,
)

# training
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.0)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=DECAY_STEPS, eta_min=0.0)
for epoch in range(EPOCHS):
    model.train()
    running, seen = 0.0, 0
    for xb, yb in train:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * xb.size(0)
        seen += xb.size(0)
    print(f"epoch {epoch + 1}: loss={running / seen:.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    target = torch.from_numpy(y_test)
    print(f"test loss={criterion(logits, target).item():.4f} "
          f"acc={(logits.argmax(1) == target).float().mean().item():.4f}")
