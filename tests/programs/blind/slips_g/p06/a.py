"""Siamese network: do two images show the same digit? (PyTorch)"""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

MARGIN = 1.0


def make_pairs(images, labels, n_pairs, rng):
    by_class = [np.flatnonzero(labels == c) for c in range(10)]
    left, right, same = [], [], []
    for k in range(n_pairs):
        c = rng.integers(10)
        d = c if k % 2 == 0 else (c + rng.integers(1, 10)) % 10
        left.append(rng.choice(by_class[c]))
        right.append(rng.choice(by_class[d]))
        same.append(float(c == d))
    return images[left], images[right], np.array(same, dtype="float32")


digits = load_digits()
rng = np.random.default_rng(55)
perm = rng.permutation(len(digits.target))
images = (digits.data[perm] / 16.0).astype("float32")
labels = digits.target[perm]
train_pairs = make_pairs(images[:1200], labels[:1200], 2400, rng)
test_pairs = make_pairs(images[1200:], labels[1200:], 600, rng)


class PairDataset(Dataset):
    def __init__(self, pairs):
        self.left, self.right, self.same = (torch.from_numpy(a) for a in pairs)

    def __len__(self):
        return len(self.same)

    def __getitem__(self, i):
        return self.left[i], self.right[i], self.same[i]


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 8)
        )
        for m in self.encoder:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, a, b):
        delta = self.encoder(a) - self.encoder(b)
        return torch.sqrt(delta.pow(2).sum(dim=1) + 1e-6)


def contrastive_loss(distance, same):
    hinge = torch.clamp(MARGIN - distance, min=0.0)
    return (same * distance.pow(2) + (1 - same) * hinge.pow(2)).mean()


torch.manual_seed(9)
model = Siamese()
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.03, initial_accumulator_value=0.1, eps=1e-10)
loader = DataLoader(PairDataset(train_pairs), batch_size=60, shuffle=True)

# ---- training
for epoch in range(10):
    total = 0.0
    for a, b, same in loader:
        loss = contrastive_loss(model(a, b), same)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(same)
    print(f"epoch {epoch + 1}: contrastive loss {total / 2400:.4f}")

with torch.no_grad():
    a, b, same = (torch.from_numpy(t) for t in test_pairs)
    distance = model(a, b)
    print(f"test loss {contrastive_loss(distance, same).item():.4f}")
    print(f"test accuracy {((distance < 0.5) == (same > 0.5)).float().mean().item():.4f}")
