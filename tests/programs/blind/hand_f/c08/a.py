"""Bag-of-words documents in PyTorch: EmbeddingBag, BCEWithLogitsLoss with pos_weight."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, MAXLEN = 120, 18


def documents(n, rng):
    """Word 0 pads; a document is positive if it speaks more of topic A than of topic B."""
    ids = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros((n, 1), dtype="float32")
    for k in range(n):
        positive = rng.random() < 0.3
        length = rng.integers(6, MAXLEN + 1)
        topic = rng.random(length) < 0.45
        own = rng.integers(1, 31, length) if positive else rng.integers(31, 61, length)
        ids[k, :length] = np.where(topic, own, rng.integers(1, VOCAB, length))
        labels[k] = positive
    return ids, labels


rng = np.random.default_rng(66)
x_train, y_train = map(torch.from_numpy, documents(1000, rng))
x_test, y_test = map(torch.from_numpy, documents(400, rng))

torch.manual_seed(14)


class TextNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.EmbeddingBag(VOCAB, 16, mode="mean", padding_idx=0)
        self.hidden = nn.Linear(16, 20)
        self.out = nn.Linear(20, 1)
        nn.init.uniform_(self.words.weight, -0.4, 0.4)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        return self.out(torch.relu(self.hidden(self.words(ids))))


model = TextNet()
criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.5]))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.93)


def train_step(xb, yb):
    optimizer.zero_grad()
    loss = criterion(model(xb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=48, shuffle=True)
for epoch in range(1, 16):
    total = 0.0
    for xb, yb in loader:
        total += train_step(xb, yb) * len(xb)
    scheduler.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    z = model(x_test)
    acc = ((z > 0).float() == y_test).float().mean().item()
    print(f"test loss {criterion(z, y_test).item():.4f} accuracy {acc:.4f}")
