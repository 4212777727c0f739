import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

images, target = load_digits(return_X_y=True)
images = (images.reshape(-1, 8, 8) / 16.0).astype("float32")
order = np.random.default_rng(9).permutation(len(target))
images, target = images[order], target[order]
x_train, y_train = images[:1280], target[:1280]
x_test, y_test = images[1280:], target[1280:]

CH = 6


def pretrained():
    """A fixed filter bank and a head fitted to it by ridge regression on 300 images."""
    rng = np.random.default_rng(90)
    kernel = rng.normal(size=(3, 3, 1, CH)).astype("float32") * 0.4
    win = np.lib.stride_tricks.sliding_window_view(x_train[:300], (3, 3), axis=(1, 2))
    maps = np.maximum(np.einsum("nhwij,ijc->nhwc", win, kernel[:, :, 0]), 0.0)
    pooled = maps.reshape(300, 3, 2, 3, 2, CH).max(axis=(2, 4))
    feats = pooled.reshape(300, -1)
    goal = 4.0 * (np.eye(10)[y_train[:300]] - 0.1)
    head = np.linalg.solve(feats.T @ feats + 3.0 * np.eye(feats.shape[1]), feats.T @ goal)
    return kernel, head.astype("float32")


kernel, head = pretrained()
torch.manual_seed(1)
net = nn.Sequential(
    nn.Conv2d(1, CH, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(3 * 3 * CH, 10),
)
with torch.no_grad():
    net[0].weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1)))
    net[0].bias.zero_()
    net[4].weight.copy_(torch.from_numpy(head.T))
    net[4].bias.zero_()

x_train, x_test = torch.from_numpy(x_train[:, None]), torch.from_numpy(x_test[:, None])
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)
ce = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
for epoch in range(5):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = ce(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1} loss {total / len(y_train):.4f}")
with torch.no_grad():
    z = net(x_test)
print(f"test loss {ce(z, y_test).item():.4f} accuracy {(z.argmax(1) == y_test).float().mean().item():.4f}")
