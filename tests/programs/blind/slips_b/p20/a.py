"""Siamese network: do two handwritten digits show the same number? (PyTorch)"""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MARGIN = 1.0
BATCH_SIZE = 80
EPOCHS = 12


def make_pairs(images, labels, count, rng):
    """Half of the pairs show the same digit (label 1), half show two different ones (label 0)."""
    left, right, same = [], [], []
    for k in range(count):
        i = rng.integers(len(labels))
        if k % 2 == 0:
            j = rng.choice(np.flatnonzero(labels == labels[i]))
        else:
            j = rng.choice(np.flatnonzero(labels != labels[i]))
        left.append(images[i])
        right.append(images[j])
        same.append(1.0 if k % 2 == 0 else 0.0)
    return np.stack(left), np.stack(right), np.array(same, dtype=np.float32)


def load_pairs():
    digits = load_digits()
    rng = np.random.default_rng(31)
    order = rng.permutation(len(digits.target))
    images = (digits.data[order] / 16.0).astype(np.float32)
    labels = digits.target[order]
    train = make_pairs(images[:1300], labels[:1300], 2400, rng)
    test = make_pairs(images[1300:], labels[1300:], 600, rng)
    return train, test


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
        for layer in self.tower:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, left, right):
        diff = self.tower(left) - self.tower(right)
        return torch.sqrt(diff.pow(2).sum(dim=1) + 1e-8)


def contrastive_loss(distance, same):
    pull = same * distance.pow(2)
    push = (1 - same) * torch.clamp(MARGIN - distance, min=0).pow(2)
    return (pull + push).mean()


def make_optimizer(model):
    return torch.optim.Adagrad(model.parameters(), lr=0.02, eps=1e-12)


def train_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for left, right, same in loader:
        optimizer.zero_grad()
        loss = contrastive_loss(model(left, right), same)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(same)
    return total / len(loader.dataset)


def main():
    torch.manual_seed(12)
    train, test = load_pairs()
    train = [torch.from_numpy(v) for v in train]
    left, right, same = [torch.from_numpy(v) for v in test]
    loader = DataLoader(TensorDataset(*train), batch_size=BATCH_SIZE, shuffle=True)
    model = Siamese()
    optimizer = make_optimizer(model)
    for epoch in range(EPOCHS):
        print(f"epoch {epoch + 1:2d}  loss {train_epoch(model, loader, optimizer):.4f}")
    model.eval()
    with torch.no_grad():
        distance = model(left, right)
        print(f"test loss {contrastive_loss(distance, same).item():.4f}")
        accuracy = ((distance < MARGIN / 2) == (same == 1)).float().mean().item()
        print(f"test pair accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
