"""Digits, one tanh layer, Adam, L2 as in scikit-learn's MLPClassifier: written in PyTorch, float64."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

ALPHA = 0.5


def make_data():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(y))
    x, y = x[order] / 16.0, y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def make_model():
    model = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10)).double()
    for layer in (model[0], model[2]):
        bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)
    return model


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(model, optimizer, x, y):
    optimizer.zero_grad()
    penalty = sum((layer.weight ** 2).sum() for layer in (model[0], model[2]))
    loss = F.cross_entropy(model(x), y)
    (loss + 0.5 * ALPHA / len(x) * penalty).backward()
    optimizer.step()
    return loss


def main():
    torch.manual_seed(21)
    torch.set_num_threads(1)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
    model = make_model()
    optimizer = make_optimizer(model)
    for epoch in range(20):
        order = torch.randperm(len(x_train))
        total = 0.0
        for start in range(0, len(order), 128):
            idx = order[start:start + 128]
            total += train_step(model, optimizer, x_train[idx], y_train[idx]).item() * len(idx)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}  loss {total / len(order):.5f}")
    with torch.no_grad():
        logits = model(x_test)
        print(f"test log loss {F.cross_entropy(logits, y_test).item():.5f}  "
              f"test accuracy {(logits.argmax(1) == y_test).double().mean().item():.4f}")


if __name__ == "__main__":
    main()
