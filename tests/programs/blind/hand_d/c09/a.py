"""Bag-of-words detector for a rare topic: nn.EmbeddingBag, BCEWithLogitsLoss(pos_weight) (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(123)

VOCAB, MAXLEN, DIM = 150, 18, 16


def documents(n, seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.25).astype(np.float32)
    tokens = np.zeros((n, MAXLEN), dtype=np.int64)
    for i in range(n):
        length = rng.integers(5, MAXLEN + 1)
        words = rng.integers(1, VOCAB, size=length)
        if labels[i]:
            topical = rng.random(length) < 0.35
            words[topical] = rng.integers(1, 20, size=topical.sum())
        tokens[i, :length] = words
    return torch.from_numpy(tokens), torch.from_numpy(labels)


train_ids, train_y = documents(1000, 61)
test_ids, test_y = documents(500, 62)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB, DIM, mode="mean", padding_idx=0)
        self.hidden = nn.Linear(DIM, 16)
        self.out = nn.Linear(16, 1)
        nn.init.normal_(self.bag.weight, std=0.5)
        with torch.no_grad():
            self.bag.weight[0].zero_()
        for layer in (self.hidden, self.out):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids):
        return self.out(torch.relu(self.hidden(self.bag(ids)))).squeeze(1)


model = Detector()
criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
loader = DataLoader(TensorDataset(train_ids, train_y), batch_size=48, shuffle=True)

# ---- training
for epoch in range(20):
    for ids, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(ids), y)
        loss.backward()
        optimizer.step()
    scheduler.step()

with torch.no_grad():
    for name, ids, y in (("train", train_ids, train_y), ("test", test_ids, test_y)):
        z = model(ids)
        print(f"{name} loss {criterion(z, y).item():.4f} accuracy {((z > 0) == (y > 0.5)).float().mean().item():.4f}")
