import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)


def load():
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32") - 0.3
    labels = digits.target.astype("int64")
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


def init(m):
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


images, labels = load()
images = torch.from_numpy(images)[:, None]
labels = torch.from_numpy(labels)

model = nn.Sequential(
    nn.Conv2d(1, 12, 3),
    nn.LeakyReLU(),
    nn.Conv2d(12, 16, 3),
    nn.LeakyReLU(),
    nn.Flatten(),
    nn.Linear(16 * 4 * 4, 32),
    nn.LeakyReLU(),
    nn.Linear(32, 10),
)
model.apply(init)

train = DataLoader(TensorDataset(images[:1200], labels[:1200]), batch_size=48, shuffle=True)
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

for epoch in range(8):
    model.train()
    run = 0.0
    for xb, yb in train:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        run += loss.item() * len(xb)
    model.eval()
    with torch.no_grad():
        out = model(images[1200:])
        print(f"{epoch + 1}: {run / 1200:.4f}  test {loss_fn(out, labels[1200:]).item():.4f} "
              f"acc {(out.argmax(1) == labels[1200:]).float().mean().item():.4f}")
