"""Handwritten digits, the scikit-learn MLPClassifier rewritten in PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 75
EPOCHS = 15
ALPHA = 0.15


def load_data():
    digits = load_digits()
    order = np.random.default_rng(50).permutation(len(digits.target))
    X = (digits.data[order] / 16.0).astype(np.float32)
    y = digits.target[order]
    return X[:1500], y[:1500], X[1500:], y[1500:]


class MLP(nn.Module):
    def __init__(self, n_features=64, hidden=40, n_classes=10):
        super().__init__()
        self.hidden = nn.Linear(n_features, hidden)
        self.out = nn.Linear(hidden, n_classes)
        for layer in (self.hidden, self.out):
            # Glorot bound for weights and biases alike, as scikit-learn does
            bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def make_optimizer(model):
    weights = [model.hidden.weight, model.out.weight]
    biases = [model.hidden.bias, model.out.bias]
    return torch.optim.SGD(
        [
            {"params": weights, "weight_decay": ALPHA},
            {"params": biases, "weight_decay": 0.0},
        ],
        lr=0.05,
        momentum=0.9,
        nesterov=True,
    )


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def main():
    torch.manual_seed(30)
    X_train, y_train, X_test, y_test = (torch.from_numpy(v) for v in load_data())
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
    model = MLP()
    criterion = nn.CrossEntropyLoss()
    optimizer = make_optimizer(model)
    for _ in range(EPOCHS):
        train_epoch(model, loader, criterion, optimizer)

    model.eval()
    with torch.no_grad():
        logits = model(X_test)
        print(f"train log-loss {criterion(model(X_train), y_train).item():.4f}")
        print(f"test log-loss  {criterion(logits, y_test).item():.4f}")
        print(f"test accuracy  {(logits.argmax(1) == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
