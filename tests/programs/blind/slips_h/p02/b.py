"""Siamese network on pairs of digits, contrastive loss (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MARGIN = 1.0
BATCH_SIZE = 100
EPOCHS = 8


def make_pairs(n_train=4000, n_test=1000, seed=13):
    """Half of the pairs show the same digit (label 1); test images are never trained on."""
    digits = load_digits()
    images = (digits.data / 16.0).astype(np.float32)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))

    def draw(pool, n):
        left, right, same = [], [], []
        by_class = [pool[digits.target[pool] == c] for c in range(10)]
        for k in range(n):
            c = rng.integers(10)
            d = c if k % 2 == 0 else (c + rng.integers(1, 10)) % 10
            left.append(rng.choice(by_class[c]))
            right.append(rng.choice(by_class[d]))
            same.append(float(c == d))
        return images[left], images[right], np.array(same, dtype=np.float32)

    return draw(order[:1300], n_train), draw(order[1300:], n_test)


class SiameseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 96), nn.ReLU(),
            nn.Linear(96, 48), nn.ReLU(),
            nn.Linear(48, 16),
        )
        for layer in self.encoder:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, left, right):
        diff = self.encoder(left) - self.encoder(right)
        return torch.sqrt(diff.pow(2).sum(dim=1) + 1e-6)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, distance, same):
        near = same * distance.pow(2)
        far = (1 - same) * torch.relu(self.margin - distance).pow(2)
        return (near + far).mean()


def validate(model, loader, criterion):
    model.eval()
    loss, hits, n = 0.0, 0, 0
    with torch.no_grad():
        for left, right, same in loader:
            d = model(left, right)
            loss += criterion(d, same).item() * len(same)
            hits += ((d < MARGIN / 2) == (same > 0.5)).sum().item()
            n += len(same)
    return loss / n, hits / n


def main():
    torch.manual_seed(9)
    train, test = make_pairs()
    train = DataLoader(TensorDataset(*map(torch.from_numpy, train)), BATCH_SIZE, shuffle=True)
    test = DataLoader(TensorDataset(*map(torch.from_numpy, test)), BATCH_SIZE, shuffle=False)

    model = SiameseNet()
    criterion = ContrastiveLoss(MARGIN)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.02, eps=1e-12)
    for epoch in range(EPOCHS):
        model.train()
        total = n = 0
        for left, right, same in train:
            loss = criterion(model(left, right), same)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(same)
            n += len(same)
        val_loss, accuracy = validate(model, test, criterion)
        print(f"epoch {epoch + 1}/{EPOCHS}  loss {total / n:.4f}  val_loss {val_loss:.4f}")
    print(f"pair accuracy on unseen images: {accuracy:.4f}")


if __name__ == "__main__":
    main()
