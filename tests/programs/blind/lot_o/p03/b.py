"""Convolutional decoder for 8x8 digits: an autoencoder with a 16-dimensional code."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

images = (load_digits().images / 16.0).astype("float32")
images = images[np.random.default_rng(4).permutation(len(images))]
train = torch.from_numpy(images[:1500])[:, None]
test = torch.from_numpy(images[1500:])[:, None]

torch.manual_seed(8)
model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 16), nn.Tanh(),
    nn.Linear(16, 2 * 2 * 8), nn.ReLU(),
    nn.Unflatten(1, (8, 2, 2)),
    nn.ConvTranspose2d(8, 32, 2, stride=2), nn.ReLU(),
    nn.ConvTranspose2d(32, 32, 2, stride=2), nn.ReLU(),
    nn.Conv2d(32, 1, 1),
)
for module in model:
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(module.weight)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.MSELoss()
for epoch in range(15):
    order = torch.randperm(len(train))
    total = 0.0
    for idx in order.split(50):
        batch = train[idx]
        loss = criterion(model(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: mse {total / len(train):.5f}")

model.eval()
with torch.no_grad():
    print(f"test mse {criterion(model(test), test).item():.5f}")
