"""Imbalanced digits, small CNN in PyTorch; class weights and label smoothing from the library."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASS_WEIGHTS = [0.7, 0.7, 0.7, 0.7, 0.7, 1.6, 1.6, 1.6, 1.6, 1.6]


def make_data():
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(4)
    order = rng.permutation(len(images))
    images, labels = images[order] / 16.0, labels[order]
    keep = (labels < 5) | (rng.uniform(size=len(labels)) < 0.45)
    images, labels = images[keep], labels[keep]
    images = images.reshape(-1, 8, 8).astype(np.float32)
    labels = labels.astype(np.int64)
    return images[:1000], labels[:1000], images[1000:], labels[1000:]


def build():
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )
    for m in net:
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


torch.manual_seed(1)
x_train, y_train, x_test, y_test = make_data()
train = TensorDataset(torch.from_numpy(x_train).unsqueeze(1), torch.from_numpy(y_train))
loader = DataLoader(train, batch_size=32, shuffle=True, drop_last=False)

net = build()
criterion = nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHTS), label_smoothing=0.1)
optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0)

for epoch in range(8):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")

net.eval()
with torch.no_grad():
    logits = net(torch.from_numpy(x_test).unsqueeze(1))
    target = torch.from_numpy(y_test)
    print(f"test: loss {criterion(logits, target).item():.4f}"
          f" accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
