import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(55)
centers = rng.normal(scale=1.1, size=(5, 16))
label = rng.integers(0, 5, size=900)
feats = (centers[label] + 2.0 * rng.normal(size=(900, 16))).astype("float32")
label = label.astype("int64")
x_tr, y_tr, x_te, y_te = map(torch.from_numpy, (feats[:720], label[:720], feats[720:], label[720:]))

EPOCHS = 24


def rate(epoch):
    return 0.06 if epoch % 2 == 0 else 0.002


torch.manual_seed(102)
model = nn.Sequential(nn.Linear(16, 40), nn.Tanh(), nn.Linear(40, 5))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=rate(0), momentum=0.95, nesterov=False)
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=36, shuffle=True)

for epoch in range(EPOCHS):
    for group in optimizer.param_groups:
        group["lr"] = rate(epoch)
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(epoch + 1, f"{total / len(x_tr):.5f}")

with torch.no_grad():
    out = model.eval()(x_te)
print("test loss", f"{criterion(out, y_te).item():.5f}")
print("test acc", f"{(out.argmax(1) == y_te).float().mean().item():.4f}")
