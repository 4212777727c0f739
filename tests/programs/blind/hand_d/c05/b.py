"""Digits (8x8) CNN: dropout masks, weight decay and the Nesterov update done by hand."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(42)

images, labels = load_digits(return_X_y=True)
order = np.random.default_rng(99).permutation(len(images))
images = (images[order] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
labels = labels[order].astype(np.int64)
x_train, y_train = torch.from_numpy(images[:1400]), torch.from_numpy(labels[:1400])
x_test, y_test = torch.from_numpy(images[1400:]), torch.from_numpy(labels[1400:])


def drop(h, rate, training):
    if not training:
        return h
    keep = 1.0 - rate
    mask = (torch.rand(h.shape) < keep).to(h.dtype)
    return h * mask / keep


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        h = drop(h.flatten(1), 0.3, self.training)
        h = F.relu(self.fc1(h))
        h = drop(h, 0.2, self.training)
        return self.fc2(h)


def cross_entropy(logits, target):
    log_z = torch.logsumexp(logits, dim=1)
    return (log_z - logits.gather(1, target[:, None]).squeeze(1)).mean()


model = DigitNet()
LR, MU, DECAY, BATCH = 0.03, 0.9, 1e-3, 50
velocity = [torch.zeros_like(p) for p in model.parameters()]

# ---- training
for epoch in range(12):
    model.train()
    perm = torch.randperm(len(x_train))
    for chunk in perm.split(BATCH):
        loss = cross_entropy(model(x_train[chunk]), y_train[chunk])
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, g, v in zip(model.parameters(), grads, velocity):
                g = g + DECAY * p
                v.mul_(MU).add_(g)
                p.sub_(LR * (g + MU * v))

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {cross_entropy(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
