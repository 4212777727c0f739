"""Digit images with a small convolutional network (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 48
EPOCHS = 10


def load_data():
    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    images = (digits.images[order] / 16.0).astype("float32")
    labels = digits.target[order].astype("int64")
    return (images[:1440], labels[:1440]), (images[1440:], labels[1440:])


class BatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d that keeps a running mean of the *biased* batch variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            BatchNorm2d(16, eps=1e-5, momentum=0.1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            BatchNorm2d(32, eps=1e-5, momentum=0.1),
            nn.ReLU(),
        )
        self.head = nn.Linear(32, 10)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.features(x).mean(dim=(2, 3)))


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)


def train_epoch(model, loader, optimizer):
    model.train()
    loss_sum = correct = seen = 0
    for x, y in loader:
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(y)
        correct += (logits.argmax(1) == y).sum().item()
        seen += len(y)
    return loss_sum / seen, correct / seen


@torch.no_grad()
def evaluate(model, x, y):
    model.eval()
    logits = model(x)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(11)
    (x_train, y_train), (x_test, y_test) = load_data()
    x_train = torch.from_numpy(x_train).unsqueeze(1)
    x_test = torch.from_numpy(x_test).unsqueeze(1)
    y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
    model = Net()
    optimizer = make_optimizer(model)
    for epoch in range(1, EPOCHS + 1):
        loss, acc = train_epoch(model, loader, optimizer)
        val_loss, val_acc = evaluate(model, x_test, y_test)
        print(
            f"epoch {epoch:2d} - loss: {loss:.4f} - accuracy: {acc:.4f}"
            f" - val_loss: {val_loss:.4f} - val_accuracy: {val_acc:.4f}"
        )


if __name__ == "__main__":
    main()
