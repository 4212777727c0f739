import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
perm = np.random.default_rng(3).permutation(len(X))
X, y = 4.0 * X[perm].astype(np.float32), y[perm].astype(np.int64)
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
for layer in (model[0], model[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=3e-4)
train_dl = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                      batch_size=48, shuffle=True)

# train
for epoch in range(14):
    model.train()
    for xb, yb in train_dl:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    print("test loss", loss_fn(logits, torch.from_numpy(y_test)).item())
    print("test acc", float((logits.argmax(-1).numpy() == y_test).mean()))
