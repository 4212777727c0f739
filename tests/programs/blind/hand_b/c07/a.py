"""Bags of tokens of different length, three classes; PyTorch modules."""
import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, LEN, DIM, CLASSES = 60, 14, 24, 3
EPOCHS, BATCH = 8, 30
PEAK, WARMUP, DECAY = 0.8, 40, 1e-3
CLASS_WEIGHT = [0.6, 1.2, 2.5]


def make_data(n, rng):
    topics = np.random.default_rng(77).dirichlet(np.full(VOCAB, 0.4), size=CLASSES)
    y = rng.choice(CLASSES, size=n, p=[0.55, 0.3, 0.15])
    length = rng.integers(4, LEN + 1, size=n)
    x = np.zeros((n, LEN), "int64")                 # 0 is padding
    for i in range(n):
        x[i, :length[i]] = 1 + rng.choice(VOCAB, size=length[i], p=0.5 * topics[y[i]] + 0.5 / VOCAB)
    return x, y.astype("int64")


rng = np.random.default_rng(31)
x_train, y_train = map(torch.from_numpy, make_data(1510, rng))
x_test, y_test = map(torch.from_numpy, make_data(800, rng))

torch.manual_seed(12)


class BagNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB + 1, DIM, mode="mean", padding_idx=0)
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = nn.Linear(DIM, CLASSES)
        nn.init.normal_(self.bag.weight, 0.0, 0.1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.bag.weight[0] = 0.0

    def forward(self, ids):
        return self.head(self.norm(self.bag(ids)))


model = BagNet()
criterion = nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHT))
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True, drop_last=False)
STEPS = EPOCHS * len(loader)
optimizer = torch.optim.SGD(model.parameters(), lr=PEAK, momentum=0.0, weight_decay=DECAY)
warm = torch.optim.lr_scheduler.LambdaLR(
    optimizer,
    lambda t: (t + 1) / WARMUP if t < WARMUP
    else 0.5 * (1 + math.cos(math.pi * (t - WARMUP) / (STEPS - WARMUP))))

# training
for epoch in range(1, EPOCHS + 1):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        warm.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch:2d}  train loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    test_loss = criterion(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
