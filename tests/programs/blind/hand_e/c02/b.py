"""Handwritten digits, small convnet; label smoothing and Nesterov step written out (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(11)
SMOOTH, CLASSES = 0.1, 10
LR, MU = 0.05, 0.9

data = load_digits()
images = (data.images / 16.0).astype("float32")
labels = data.target.astype("int64")
perm = np.random.default_rng(7).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = torch.tensor(images[:1400, None]), torch.tensor(labels[:1400])
x_test, y_test = torch.tensor(images[1400:, None]), torch.tensor(labels[1400:])

model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3), nn.ReLU(),
    nn.Flatten(),
    nn.Linear(24 * 2 * 2, CLASSES),
)
for m in model:
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def smoothed_cross_entropy(logits, target):
    soft = torch.full_like(logits, SMOOTH / CLASSES)
    soft.scatter_(1, target[:, None], 1.0 - SMOOTH + SMOOTH / CLASSES)
    return -(soft * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


velocity = [torch.zeros_like(p) for p in model.parameters()]
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

for epoch in range(12):
    total, hits = 0.0, 0
    for xb, yb in loader:
        logits = model(xb)
        loss = smoothed_cross_entropy(logits, yb)
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, v, g in zip(model.parameters(), velocity, grads):
                v.mul_(MU).sub_(LR * g)
                p.add_(MU * v - LR * g)
        total += loss.item() * len(xb)
        hits += (logits.argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f} acc {hits / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {smoothed_cross_entropy(logits, y_test):.4f}  "
          f"accuracy {(logits.argmax(1) == y_test).float().mean():.4f}")
