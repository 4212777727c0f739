"""A first convolutional network for (slightly enlarged) handwritten digits, in PyTorch."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 7
BATCH = 32
EPOCHS = 6


def make_data():
    """8x8 digits, blown up to 16x16 and dropped at a random place of a 20x20 canvas."""
    rng = np.random.RandomState(1234)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images = (digits.images[order] / 16.0).astype("float32")
    labels = digits.target[order].astype("int64")
    canvas = np.zeros((len(images), 20, 20), dtype="float32")
    for i, img in enumerate(images):
        r, c = rng.randint(0, 5, size=2)
        canvas[i, r:r + 16, c:c + 16] = np.kron(img, np.ones((2, 2), dtype="float32"))
    return canvas[:1450], labels[:1450], canvas[1450:], labels[1450:]


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3)
        self.conv2 = nn.Conv2d(12, 24, 3)
        self.drop1 = nn.Dropout(0.25)
        self.fc1 = nn.Linear(24 * 3 * 3, 64)
        self.drop2 = nn.Dropout(0.4)
        self.fc2 = nn.Linear(64, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)      # 20 -> 18 -> 9
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)      # 9 -> 7 -> 3
        x = self.drop1(x).flatten(1)
        x = self.drop2(F.relu(self.fc1(x)))
        return self.fc2(x)


def evaluate(model, x, y):
    with torch.no_grad():
        logits = model(x)
        return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(SEED)
    x_train, y_train, x_test, y_test = make_data()
    train = TensorDataset(torch.from_numpy(x_train)[:, None], torch.from_numpy(y_train))
    loader = DataLoader(train, batch_size=BATCH, shuffle=True, drop_last=False)
    x_test, y_test = torch.from_numpy(x_test)[:, None], torch.from_numpy(y_test)

    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-12)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        val_loss, val_acc = evaluate(model, x_test, y_test)
        print(f"epoch {epoch + 1}: loss {total / len(train):.4f}  test loss {val_loss:.4f}  test acc {val_acc:.4f}")
    assert math.isfinite(val_loss)


if __name__ == "__main__":
    main()
