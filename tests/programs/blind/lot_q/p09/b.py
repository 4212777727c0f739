"""Transfer: a fixed feature block with batch normalisation, a new head on top. PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

D, F, K = 12, 48, 3


def feature_block():
    """Weights of the block and the statistics of its pre-activations on the first domain."""
    rng = np.random.default_rng(1)
    w = rng.normal(size=(D, F)) / np.sqrt(D)
    b = 0.1 * rng.normal(size=F)
    first_domain = rng.normal(size=(5000, D))
    pre = first_domain @ w + b
    return [a.astype("float32") for a in (w, b, pre.mean(0), pre.var(0))]


def second_domain():
    rng = np.random.default_rng(2)
    n = 1200
    scale = np.exp(0.7 * rng.normal(size=D))
    x = 0.8 + scale * rng.normal(size=(n, D))
    u = x[:, :6].sum(1) + 0.5 * x[:, 6] * x[:, 7]
    y = np.digitize(u, np.quantile(u, [1 / 3, 2 / 3]))
    return x.astype("float32"), y.astype("int64")


x, y = (torch.from_numpy(v) for v in second_domain())
x_train, y_train, x_test, y_test = x[:960], y[:960], x[960:], y[960:]

torch.manual_seed(4)
base = nn.Linear(D, F)
norm = nn.BatchNorm1d(F, eps=1e-5, momentum=0.1)
head = nn.Sequential(nn.Linear(F, 24), nn.ReLU(), nn.Linear(24, K))
for layer in (head[0], head[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
model = nn.Sequential(base, norm, nn.ReLU(), head)

w, b, mean, var = map(torch.from_numpy, feature_block())
with torch.no_grad():
    base.weight.copy_(w.T)
    base.bias.copy_(b)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
for module in (base, norm):
    for p in module.parameters():
        p.requires_grad = False

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(head.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

for epoch in range(15):
    model.train()
    total, hits = 0.0, 0
    for xb, yb in loader:
        logits = model(xb)
        loss = criterion(logits, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
        hits += (logits.argmax(1) == yb).sum().item()
    print("epoch %d loss %.4f accuracy %.4f" % (epoch + 1, total / len(y_train), hits / len(y_train)))

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print("test loss %.4f accuracy %.4f" % (criterion(logits, y_test).item(),
                                            (logits.argmax(1) == y_test).float().mean().item()))
