import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(6)

data = load_digits()
X = (data.data / 16.0).astype("float32")
y = data.target.astype("int64")
perm = np.random.RandomState(10).permutation(len(X))
X_train, y_train = torch.from_numpy(X[perm[:1400]]), torch.from_numpy(y[perm[:1400]])
X_test, y_test = torch.from_numpy(X[perm[1400:]]), torch.from_numpy(y[perm[1400:]])

model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 10))
for layer in (model[0], model[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)

lr, decay = 0.2, 0.02
sgd = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.0)
schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda it: 1.0 / (1.0 + decay * it))
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(X_train, y_train), batch_size=35, shuffle=True)

for epoch in range(12):
    running = 0.0
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        schedule.step()
        running += loss.item() * len(xb)
    print("epoch", epoch + 1, "loss", round(running / len(X_train), 4))

with torch.no_grad():
    for name, (xs, ys) in {"train": (X_train, y_train), "test": (X_test, y_test)}.items():
        out = model(xs)
        print(name, "loss", round(F.cross_entropy(out, ys).item(), 4),
              "acc", round((out.argmax(1) == ys).float().mean().item(), 4))
