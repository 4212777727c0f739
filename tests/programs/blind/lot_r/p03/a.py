import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

data = load_digits()
perm = np.random.default_rng(4).permutation(len(data.target))
X = (data.data[perm] / 16.0).astype("float32")
y = data.target[perm].astype("int64")
X_train, y_train, X_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]

torch.manual_seed(6)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 96), nn.ReLU(),
            nn.Linear(96, 10), nn.Softmax(dim=1),
        )
        for m in self.layers:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.layers(x)


model = MLP()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=64, shuffle=True)

for epoch in range(15):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * xb.size(0)
    print(f"epoch {epoch + 1} loss {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).argmax(dim=1).numpy()
print("test accuracy %.4f" % np.mean(pred == y_test))
