import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
order = np.random.default_rng(15).permutation(len(X))
X, y = X[order], y[order].astype("int64")
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

torch.manual_seed(5)
model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
for layer in (model[0], model[2]):
    bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)

optimizer = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.99), eps=1e-12, amsgrad=True)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)), batch_size=50, shuffle=True)

for epoch in range(20):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"iteration {epoch + 1}, loss = {total / len(X_train):.6f}")

with torch.no_grad():
    prediction = model(torch.from_numpy(X_test)).argmax(1).numpy()
print("test accuracy", round(float((prediction == y_test).mean()), 4))
