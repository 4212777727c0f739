"""Per-frame tagging of variable-length sensor recordings: nn.GRU, ignore_index (PyTorch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(50)

T, D, K, PAD = 16, 5, 4, -100


def recordings(n, seed):
    rng = np.random.default_rng(seed)
    emit = np.random.default_rng(1000).normal(size=(K, D))
    x = np.zeros((n, T, D), dtype=np.float32)
    y = np.full((n, T), PAD, dtype=np.int64)
    for i in range(n):
        length = rng.integers(6, T + 1)
        state = rng.integers(K)
        for t in range(length):
            if rng.random() < 0.2:
                state = (state + rng.integers(1, K)) % K
            y[i, t] = state
            x[i, t] = emit[state] + 1.2 * rng.normal(size=D)
    return x, y


x_train, y_train = (torch.from_numpy(a) for a in recordings(600, 71))
x_test, y_test = (torch.from_numpy(a) for a in recordings(200, 72))


class Tagger(nn.Module):
    def __init__(self, units=20):
        super().__init__()
        self.gru = nn.GRU(D, units, batch_first=True)
        self.head = nn.Linear(units, K)

    def forward(self, x):
        return self.head(self.gru(x)[0])


model = Tagger()
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.RMSprop(model.parameters(), lr=4e-3, alpha=0.9, eps=1e-8)
BATCH, EPOCHS = 32, 14


def evaluate(x, y):
    with torch.no_grad():
        z = model(x)
        valid = y != PAD
        acc = (z.argmax(-1)[valid] == y[valid]).float().mean().item()
        return criterion(z.reshape(-1, K), y.reshape(-1)).item(), acc


# ---- training
for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        loss = criterion(model(x_train[idx]).reshape(-1, K), y_train[idx].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print("train loss %.4f acc %.4f" % evaluate(x_train, y_train))
print("test  loss %.4f acc %.4f" % evaluate(x_test, y_test))
