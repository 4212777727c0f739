import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
perm = np.random.default_rng(50).permutation(len(X))
X, y = X[perm], y[perm]
mean, std = X[:1400].mean(0), X[:1400].std(0) + 1.0
X = (X - mean) / std
X_train, y_train = torch.from_numpy(X[:1400]), torch.from_numpy(y[:1400])
X_test, y_test = torch.from_numpy(X[1400:]), torch.from_numpy(y[1400:])

torch.manual_seed(2)
layers = []
fan_in = 64
for width in (64, 64, 48, 48, 32, 32):
    layers += [nn.Linear(fan_in, width), nn.Tanh()]
    fan_in = width
layers.append(nn.Linear(fan_in, 10))
model = nn.Sequential(*layers)
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    model.train()
    perm = torch.randperm(1400)
    total, hits = 0.0, 0
    for i in range(0, 1400, 70):
        idx = perm[i:i + 70]
        logits = model(X_train[idx])
        loss = loss_fn(logits, y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
        hits += (logits.argmax(1) == y_train[idx]).sum().item()
    model.eval()
    with torch.no_grad():
        logits = model(X_test)
        vl = loss_fn(logits, y_test).item()
        va = (logits.argmax(1) == y_test).float().mean().item()
    print(f"{epoch + 1} accuracy={hits / 1400:.4f} loss={total / 1400:.4f} val_accuracy={va:.4f} val_loss={vl:.4f}")
