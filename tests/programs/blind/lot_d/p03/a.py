import math

import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(41)

T, F, D, CLASSES, BATCH, EPOCHS = 10, 8, 24, 4, 40, 12


def sequences(n, seed):
    # two marked tokens per sequence; the class depends on both payloads
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, T, F))
    first = rng.integers(0, T // 2, n)
    second = rng.integers(T // 2, T, n)
    a, b = rng.integers(0, 2, (2, n))
    x[:, :, :2] = 0.0
    x[np.arange(n), first, 0] = 2.0
    x[np.arange(n), second, 1] = 2.0
    x[np.arange(n), first, 2] = 1.5 * (2 * a - 1)
    x[np.arange(n), second, 3] = 1.5 * (2 * b - 1)
    return x.astype("float32"), (2 * a + b).astype("int64")


x_train, y_train = map(torch.from_numpy, sequences(1200, 0))
x_test, y_test = map(torch.from_numpy, sequences(400, 1))


class AttentionClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(F, D, bias=False)
        self.key = nn.Linear(F, D, bias=False)
        self.value = nn.Linear(F, D, bias=False)
        self.softmax = nn.Softmax()
        self.hidden = nn.Linear(D, 32)
        self.out = nn.Linear(32, CLASSES)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(1, 2) / math.sqrt(D)
        context = self.softmax(scores) @ v
        pooled = torch.tanh(context).mean(dim=1)
        return self.out(torch.relu(self.hidden(pooled)))


model = AttentionClassifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: train loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = torch.cat([model(x_test[i:i + BATCH]) for i in range(0, len(x_test), BATCH)])
    print(f"test loss {criterion(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
