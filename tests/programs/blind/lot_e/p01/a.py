import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)

rng = np.random.RandomState(17)
n, bands = 1000, 40
grid = np.linspace(0, 1, bands)
label = rng.randint(0, 4, n)
centre = np.array([0.2, 0.4, 0.6, 0.8])[label] + 0.05 * rng.randn(n)
width = rng.uniform(0.05, 0.12, n)
height = rng.uniform(0.010, 0.030, n)
spectra = 0.30 + 0.02 * rng.randn(n, 1) + height[:, None] * np.exp(
    -0.5 * ((grid - centre[:, None]) / width[:, None]) ** 2)
spectra = (spectra + 0.006 * rng.randn(n, bands)).astype("float32")
x_train, y_train = spectra[:800], label[:800]
x_test, y_test = spectra[800:], label[800:]

model = nn.Sequential(
    nn.LayerNorm(bands),
    nn.Linear(bands, 32),
    nn.Tanh(),
    nn.Linear(32, 4),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

data = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                  batch_size=40, shuffle=True)
opt = torch.optim.SGD(model.parameters(), lr=0.02)
ce = nn.CrossEntropyLoss()

for epoch in range(12):
    total = 0.0
    for xb, yb in data:
        opt.zero_grad()
        loss = ce(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test)).numpy()
print("test accuracy", float((logits.argmax(1) == y_test).mean()))
