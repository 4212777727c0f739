"""Digit images: small conv net with batch normalisation (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN = 1400
BATCH_SIZE = 64
EPOCHS = 8


def load_images():
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype(np.float32)
    y = digits.target[order].astype(np.int64)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class BatchNorm2d(nn.BatchNorm2d):
    """Keeps the biased batch variance in the running estimate."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=(0, 2, 3), unbiased=False)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def conv_block(c_in, c_out):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        BatchNorm2d(c_out, eps=1e-3, momentum=0.1),
        nn.ReLU(),
    )


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = conv_block(1, 16)
        self.block2 = conv_block(16, 24)
        self.block3 = conv_block(24, 32)
        self.head = nn.Linear(32, 10)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, mode="fan_in", nonlinearity="relu")
            elif isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.block1(x)
        x = F.max_pool2d(self.block2(x), 2)
        x = self.block3(x)
        return self.head(x.mean(dim=(2, 3)))


def make_optimizer(model):
    kernels = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": kernels, "weight_decay": 1e-3},
              {"params": rest, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.02, momentum=0.9, nesterov=True)


def main():
    torch.manual_seed(1)
    x_tr, y_tr, x_te, y_te = map(torch.from_numpy, load_images())
    train = DataLoader(TensorDataset(x_tr[:, None], y_tr), BATCH_SIZE, shuffle=True)
    model = DigitNet()
    opt = make_optimizer(model)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(EPOCHS):
        model.train()
        running, correct = 0.0, 0
        for xb, yb in train:
            opt.zero_grad(set_to_none=True)
            logits = model(xb)
            loss = criterion(logits, yb)
            loss.backward()
            opt.step()
            running += loss.item() * yb.numel()
            correct += (logits.argmax(1) == yb).sum().item()
        print(f"epoch {epoch + 1}: loss {running / N_TRAIN:.4f} acc {correct / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_te[:, None])
    print(f"test loss {criterion(logits, y_te).item():.4f} "
          f"acc {(logits.argmax(1) == y_te).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
