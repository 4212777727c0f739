"""Siamese network on digit pairs with the contrastive loss (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MARGIN = 1.0
BATCH = 64
EPOCHS = 12


def load_pairs(seed=13):
    """Pairs of digit images; 1.0 = same digit. Training and test images are disjoint."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(X))
    X, y = (X[order] / 16.0).astype(np.float32), y[order]

    def draw(X, y, n):
        by_class = [np.flatnonzero(y == c) for c in range(10)]
        left, right, same = [], [], []
        for k in range(n):
            i = rng.integers(len(X))
            if k % 2 == 0:
                j = rng.choice(by_class[y[i]])
            else:
                j = rng.choice(by_class[(y[i] + rng.integers(1, 10)) % 10])
            left.append(i), right.append(j), same.append(1.0 - k % 2)
        return X[left], X[right], np.array(same, dtype=np.float32)

    return draw(X[:1300], y[:1300], 2500), draw(X[1300:], y[1300:], 800)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 12),
        )
        for m in self.encoder:
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, left, right):
        d = self.encoder(left) - self.encoder(right)
        return torch.sqrt(d.pow(2).sum(-1) + 1e-6)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, distance, same):
        pull = same * distance.pow(2)
        push = (1.0 - same) * torch.clamp(self.margin - distance, min=0.0).pow(2)
        return (pull + push).mean()


def main():
    torch.manual_seed(31)
    train, test = load_pairs()
    loader = DataLoader(
        TensorDataset(*map(torch.from_numpy, train)), batch_size=BATCH, shuffle=True)
    left, right, same = map(torch.from_numpy, test)

    model = Siamese()
    criterion = ContrastiveLoss(MARGIN)
    optimizer = torch.optim.Adagrad(
        model.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0,
        initial_accumulator_value=0.1, eps=1e-10)

    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for lb, rb, sb in loader:
            optimizer.zero_grad()
            loss = criterion(model(lb, rb), sb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(sb)
        print(f"epoch {epoch + 1}: {total / len(loader.dataset):.4f}")

    model.eval()
    with torch.no_grad():
        distance = model(left, right)
        loss = criterion(distance, same).item()
        accuracy = ((distance < MARGIN / 2) == (same == 1.0)).float().mean().item()
    print(f"test loss {loss:.4f}, pair accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
