import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine

torch.manual_seed(70)

X, y = load_wine(return_X_y=True)
perm = np.random.RandomState(6).permutation(len(X))
X, y = X[perm].astype(np.float32), y[perm].astype(np.int64)
x_train, y_train = torch.from_numpy(X[:136]), torch.from_numpy(y[:136])
x_test, y_test = torch.from_numpy(X[136:]), torch.from_numpy(y[136:])


class BatchNorm(nn.Module):
    def __init__(self, width, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x):
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var, self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


model = nn.Sequential(BatchNorm(13), nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
for i in (1, 3):
    nn.init.xavier_uniform_(model[i].weight)
    nn.init.zeros_(model[i].bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=17, shuffle=True)

model.train()
for epoch in range(20):
    for xb, yb in loader:
        optimizer.zero_grad()
        F.cross_entropy(model(xb), yb).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    for part, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
        logits = model(x)
        print(part, "loss %.4f" % F.cross_entropy(logits, t).item(),
              "acc %.4f" % (logits.argmax(1) == t).float().mean().item())
