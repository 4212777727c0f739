import numpy as np
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 14
torch.manual_seed(SEED)

X, y = make_classification(n_samples=1100, n_features=40, n_informative=8, n_redundant=4,
                           n_classes=3, n_clusters_per_class=2, flip_y=0.12,
                           class_sep=1.0, random_state=70)
X = torch.from_numpy(X.astype(np.float32))
y = torch.from_numpy(y)
X_train, X_test = X[:500], X[500:]
y_train, y_test = y[:500], y[500:]

model = nn.Sequential(
    nn.Linear(40, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 3),
)
nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
nn.init.kaiming_uniform_(model[3].weight, nonlinearity="relu")
nn.init.xavier_uniform_(model[6].weight)
for i in (0, 3, 6):
    nn.init.zeros_(model[i].bias)

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)

for epoch in range(25):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}: train loss {total / 500:.4f}")

model.eval()
with torch.no_grad():
    logits = model(X_test)
    test_loss = loss_fn(logits, y_test).item()
    test_acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test loss {test_loss:.4f}, test accuracy {test_acc:.4f}")
