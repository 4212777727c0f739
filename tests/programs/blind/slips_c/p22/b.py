import math
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_diabetes

torch.manual_seed(13)

X, y = load_diabetes(return_X_y=True)
p = np.random.RandomState(5).permutation(len(X))
X, y = X[p], y[p]
X = (X - X[:400].mean(0)) / X[:400].std(0)
y = (y - y[:400].mean()) / y[:400].std()
X, y = X.astype(np.float32), y.astype(np.float32)

hidden = nn.Linear(10, 32)
output = nn.Linear(32, 1)
for lin in (hidden, output):
    bound = math.sqrt(6.0 / (lin.in_features + lin.out_features))
    nn.init.uniform_(lin.weight, -bound, bound)
    nn.init.uniform_(lin.bias, -bound, bound)
net = nn.Sequential(hidden, nn.Tanh(), output)

opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
xt, yt = torch.from_numpy(X[:400]), torch.from_numpy(y[:400]).unsqueeze(1)
alpha, batch_size = 0.5, 40

for epoch in range(30):
    order = torch.randperm(400)
    for idx in order.split(batch_size):
        opt.zero_grad()
        data_loss = (net(xt[idx]) - yt[idx]).pow(2).mean()
        penalty = alpha / (2 * batch_size) * (hidden.weight.pow(2).sum() + output.weight.pow(2).sum())
        (data_loss + penalty).backward()
        opt.step()

with torch.no_grad():
    pred = net(torch.from_numpy(X)).squeeze(1).numpy()
print("test mse %.4f" % np.mean((pred[400:] - y[400:]) ** 2))
print("train mse %.4f" % np.mean((pred[:400] - y[:400]) ** 2))
