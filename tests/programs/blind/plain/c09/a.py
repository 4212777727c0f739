"""Digits with a convnet and BatchNorm (PyTorch; conventions chosen to match the Keras version)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


def make_data():
    digits = load_digits()
    order = np.random.default_rng(99).permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype(np.float32)
    y = digits.target[order].astype(np.int64)
    return x[:1300], y[:1300], x[1300:], y[1300:]


class BatchNorm(nn.BatchNorm2d):
    """BatchNorm2d whose running variance averages the biased batch variance, as in Keras 3."""

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
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = BatchNorm(16, eps=1e-5, momentum=0.1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(32, eps=1e-5, momentum=0.1)
        self.fc1 = nn.Linear(32 * 2 * 2, 40)
        self.fc2 = nn.Linear(40, 10)
        for layer in (self.conv1, self.conv2, self.fc1):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        nn.init.xavier_uniform_(self.fc2.weight)
        nn.init.zeros_(self.fc1.bias)
        nn.init.zeros_(self.fc2.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def make_optimizer(model):
    decayed = [m.weight for m in (model.conv1, model.conv2, model.fc1, model.fc2)]
    ids = {id(p) for p in decayed}
    others = [p for p in model.parameters() if id(p) not in ids]
    return torch.optim.SGD(
        [{"params": decayed, "weight_decay": 1e-3}, {"params": others, "weight_decay": 0.0}],
        lr=0.02, momentum=0.9, nesterov=True)


def train_step(model, optimizer, x, y):
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def main():
    torch.manual_seed(12)
    torch.set_num_threads(1)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
    x_train, x_test = x_train[:, None], x_test[:, None]  # NCHW
    model = Net()
    optimizer = make_optimizer(model)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
    for epoch in range(8):
        model.train()
        for x, y in loader:
            train_step(model, optimizer, x, y)
        model.eval()
        with torch.no_grad():
            logits = model(x_test)
            print(f"epoch {epoch + 1}  test loss {F.cross_entropy(logits, y_test).item():.4f}  "
                  f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
