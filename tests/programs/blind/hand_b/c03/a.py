"""Digits 8x8 with a small CNN in PyTorch; smoothing, clipping and Nesterov momentum by hand."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits

EPOCHS, BATCH = 13, 32
LR, MU, CLIP, SMOOTH, CLASSES = 0.05, 0.9, 1.0, 0.1, 10

digits = load_digits()
images = (digits.images / 16.0).astype("float32")
labels = digits.target.astype("int64")
perm = np.random.default_rng(0).permutation(len(images))
train, test = perm[:1400], perm[1400:]
x_train = torch.from_numpy(images[train]).unsqueeze(1)
x_test = torch.from_numpy(images[test]).unsqueeze(1)
y_train = torch.from_numpy(labels[train])
y_test = torch.from_numpy(labels[test])

torch.manual_seed(42)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(32, CLASSES),
)
for layer in model:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


def smoothed_loss(logits, y):
    target = F.one_hot(y, CLASSES).float() * (1.0 - SMOOTH) + SMOOTH / CLASSES
    return -(target * F.log_softmax(logits, dim=1)).sum(1).mean()


params = list(model.parameters())
velocity = [torch.zeros_like(p) for p in params]

# training
for epoch in range(1, EPOCHS + 1):
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = smoothed_loss(model(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        norm = torch.sqrt(sum((g ** 2).sum() for g in grads))
        scale = CLIP / norm if norm > CLIP else 1.0
        with torch.no_grad():
            for p, g, vel in zip(params, grads, velocity):
                g = g * scale
                vel.mul_(MU).sub_(LR * g)
                p.add_(MU * vel - LR * g)
        total += loss.item() * len(idx)
    print(f"epoch {epoch:2d}  train loss {total / len(order):.4f}")

with torch.no_grad():
    logits = model(x_test)
    test_loss = smoothed_loss(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
