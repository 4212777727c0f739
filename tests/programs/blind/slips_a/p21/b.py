"""Card fraud detector with class weights in PyTorch."""
import numpy as np
import torch
from torch import nn
from sklearn.metrics import average_precision_score, log_loss

WEIGHT_OF_FRAUD = 6.0


def transactions():
    rng = np.random.RandomState(11)
    n = 4500
    x = rng.randn(n, 14)
    amount = np.exp(0.8 * rng.randn(n))
    x[:, 0] = np.log1p(amount)
    risk = 1.2 * x[:, 0] + 0.9 * x[:, 1] * (x[:, 2] > 0) + 0.8 * np.abs(x[:, 3]) - 0.7 * x[:, 4] + 0.8 * rng.randn(n)
    y = (risk > np.quantile(risk, 0.92)).astype(int)
    x = (x - x.mean(0)) / x.std(0)
    x = x.astype(np.float32)
    return x[:3000], y[:3000], x[3000:], y[3000:]


def glorot(layer):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) for the kernel and the bias alike."""
    bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


def build():
    return nn.Sequential(
        glorot(nn.Linear(14, 24)), nn.ReLU(),
        glorot(nn.Linear(24, 12)), nn.ReLU(),
        glorot(nn.Linear(12, 1)), nn.Flatten(0),
    )


def weighted_bce(logits, target):
    w = torch.where(target > 0.5, WEIGHT_OF_FRAUD, 1.0)
    return (w * nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")).mean()


# --- training
torch.manual_seed(23)
x, y, xt, yt = transactions()
X, Y = torch.from_numpy(x), torch.from_numpy(y).float()
net = build()
optimizer = torch.optim.Adam(net.parameters(), lr=0.002, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.0)
for epoch in range(12):
    total = 0.0
    for idx in torch.randperm(len(X)).split(100):
        optimizer.zero_grad()
        loss = weighted_bce(net(X[idx]), Y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: {total / len(X):.5f}")
net.eval()
with torch.no_grad():
    p = torch.sigmoid(net(torch.from_numpy(xt))).double().numpy()
w = np.where(yt == 1, WEIGHT_OF_FRAUD, 1.0)
print(f"weighted log loss {log_loss(yt, p, sample_weight=w):.4f}  average precision {average_precision_score(yt, p):.4f}")
