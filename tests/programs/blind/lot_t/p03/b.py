import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(8)

digits = load_digits()
x = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
perm = np.random.RandomState(0).permutation(len(x))
train, test = perm[:1437], perm[1437:]


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight)
        nn.init.zeros_(module.bias)


model = nn.Sequential(
    nn.Linear(64, 48), nn.Tanh(),
    nn.Linear(48, 24), nn.Tanh(),
    nn.Linear(24, 10),
)
model.apply(init_weights)
loader = DataLoader(TensorDataset(torch.from_numpy(x[train]), torch.from_numpy(y[train])),
                    batch_size=64, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=False)

for epoch in range(15):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * xb.size(0)
    print(f"epoch {epoch + 1}: loss {running / len(train):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(x[test])).argmax(1).numpy()
print("test accuracy:", (pred == y[test]).mean())
