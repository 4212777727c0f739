import numpy as np
import torch
from torch import nn

STEPS, UNITS = 20, 24


def walks(n, rng):
    """Noisy two-dimensional walks whose slow rotation gives the class."""
    label = rng.integers(0, 3, size=n)
    omega = np.array([-0.1, 0.0, 0.1])[label] + 0.02 * rng.normal(size=n)
    angle = rng.uniform(-0.6, 0.6, size=n)[:, None] + omega[:, None] * np.arange(STEPS)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    x = x + 0.4 * rng.normal(size=x.shape)
    return x.astype("float32"), label


class WalkClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(input_size=2, hidden_size=UNITS)
        self.fc = nn.Linear(UNITS, 3)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.xavier_uniform_(self.fc.weight)
        for bias in (self.gru.bias_ih_l0, self.gru.bias_hh_l0, self.fc.bias):
            nn.init.zeros_(bias)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out[:, -1])


rng = np.random.default_rng(63)
x_train, y_train = (torch.from_numpy(v) for v in walks(960, rng))
x_test, y_test = (torch.from_numpy(v) for v in walks(400, rng))

torch.manual_seed(46)
model = WalkClassifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

for epoch in range(1, 11):
    model.train()
    total = 0.0
    for batch in torch.randperm(960).split(32):
        optimizer.zero_grad()
        loss = criterion(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch:2d}: loss {total / 960:.4f}")

model.eval()
loss_sum = hits = 0.0
with torch.no_grad():
    for xb, yb in zip(x_test.split(32), y_test.split(32)):
        logits = model(xb)
        loss_sum += criterion(logits, yb).item() * len(yb)
        hits += (logits.argmax(1) == yb).sum().item()
print(f"test: loss {loss_sum / 400:.4f} accuracy {hits / 400:.4f}")
