"""Digits (8x8) with a small CNN: nn.Dropout, CrossEntropyLoss, SGD with decay and Nesterov."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

images, labels = load_digits(return_X_y=True)
order = np.random.default_rng(99).permutation(len(images))
images = (images[order] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
labels = labels[order].astype(np.int64)
train = TensorDataset(torch.from_numpy(images[:1400]), torch.from_numpy(labels[:1400]))
x_test, y_test = torch.from_numpy(images[1400:]), torch.from_numpy(labels[1400:])

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.3),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(32, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True, weight_decay=1e-3)
loader = DataLoader(train, batch_size=50, shuffle=True)

# ---- training
for epoch in range(12):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {criterion(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
