import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
order = np.random.RandomState(7).permutation(len(X))
X = (X[order] / 16.0).astype("float32")
y = y[order].astype("int64")
x_train, y_train = X[:1500], y[:1500]
x_test, y_test = X[1500:], y[1500:]

model = nn.Sequential(
    nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Linear(32, 10),
)
kernels, biases = [], []
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.zeros_(layer.bias)
        kernels.append(layer.weight)
        biases.append(layer.bias)

optimizer = torch.optim.SGD(
    [{"params": kernels, "weight_decay": 1e-3}, {"params": biases, "weight_decay": 0.0}],
    lr=0.02, momentum=0.9, nesterov=True)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=64, shuffle=True)

for epoch in range(20):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test cross-entropy {test_loss:.4f}  accuracy {acc:.4f}")
