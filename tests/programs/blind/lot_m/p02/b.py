import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(5)
counts = [900, 225, 75]
centres = rng.normal(scale=1.3, size=(3, 6))
X = np.concatenate([centres[k] + rng.normal(size=(n, 6)) for k, n in enumerate(counts)]).astype("float32")
y = np.repeat(np.arange(3), counts)
perm = rng.permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:960], y[:960], X[960:], y[960:]

torch.manual_seed(8)
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3))
for layer in (model[0], model[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)

class_weight = torch.tensor([1.0, 4.0, 12.0])
criterion = nn.CrossEntropyLoss(weight=class_weight)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.0)

train = torch.utils.data.TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr))
loader = torch.utils.data.DataLoader(train, batch_size=48, shuffle=True, drop_last=False)
for epoch in range(15):
    running = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * xb.size(0)
    print(f"epoch {epoch + 1}: loss {running / len(ytr):.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(Xte)).argmax(1).numpy()
print("accuracy", float((pred == yte).mean()))
for k in range(3):
    print("recall", k, float((pred[yte == k] == k).mean()))
