"""Handwritten digits with a small batch-normalised CNN (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

L2 = 1e-4
BATCH_SIZE = 64
EPOCHS = 8


def load_data():
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32")[:, None]
    labels = digits.target.astype("int64")
    order = np.random.RandomState(0).permutation(len(images))
    train, test = order[:1437], order[1437:]
    return images[train], labels[train], images[test], labels[test]


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose running variance averages the biased batch variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        old = (1 - self.momentum) * self.running_var
        out = super().forward(x)
        n = x.numel() // x.size(1)
        with torch.no_grad():
            self.running_var = old + (self.running_var - old) * (n - 1) / n
        return out


def conv_block(c_in, c_out):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        BatchNorm2d(c_out, eps=1e-5, momentum=0.1),
        nn.ReLU(),
    )


def init_weights(m):
    if isinstance(m, nn.Conv2d):
        # He normal, truncated at two standard deviations
        fan_in = m.in_channels * m.kernel_size[0] * m.kernel_size[1]
        s = math.sqrt(2.0 / fan_in) / 0.87962566103423978
        nn.init.trunc_normal_(m.weight, mean=0.0, std=s, a=-2 * s, b=2 * s)
    elif isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv_block(1, 16),
            conv_block(16, 32),
            nn.MaxPool2d(2),
            conv_block(32, 64),
        )
        self.dropout = nn.Dropout(0.25)
        self.classifier = nn.Linear(64, 10)
        self.apply(init_weights)

    def forward(self, x):
        x = self.features(x).mean(dim=(2, 3))
        return self.classifier(self.dropout(x))

    def l2_penalty(self):
        kernels = [m.weight for m in self.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        return L2 * sum(w.square().sum() for w in kernels)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    loss, correct, n = 0.0, 0, 0
    for x, y in loader:
        logits = model(x)
        loss += F.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(dim=1) == y).sum().item()
        n += len(y)
    return loss / n + model.l2_penalty().item(), correct / n


def main():
    torch.manual_seed(5)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, load_data())
    train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=BATCH_SIZE)

    model = DigitNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)

    for epoch in range(EPOCHS):
        model.train()
        total, correct, n = 0.0, 0, 0
        for x, y in train_loader:
            logits = model(x)
            loss = F.cross_entropy(logits, y) + model.l2_penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            correct += (logits.argmax(dim=1) == y).sum().item()
            n += len(y)
        val_loss, val_acc = evaluate(model, test_loader)
        print(
            f"Epoch {epoch + 1}/{EPOCHS} - loss: {total / n:.4f} - accuracy: {correct / n:.4f}"
            f" - val_loss: {val_loss:.4f} - val_accuracy: {val_acc:.4f}"
        )

    loss, accuracy = evaluate(model, test_loader)
    print(f"test loss {loss:.4f}  test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
