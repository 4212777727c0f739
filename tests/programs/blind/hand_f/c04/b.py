"""PyTorch convnet on small drawn shapes; accumulation and smoothing written in the loop."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def draw(n, rng):
    images = rng.normal(0, 0.35, (n, 12, 12)).astype("float32")
    labels = rng.integers(0, 4, n)
    for img, label in zip(images, labels):
        r, c = rng.integers(1, 6, 2)
        if label == 0:
            img[r + 2, c : c + 5] += 1.5
        elif label == 1:
            img[r : r + 5, c + 2] += 1.5
        elif label == 2:
            img[r + 2, c : c + 5] += 1.5
            img[r : r + 5, c + 2] += 1.5
        else:
            for k in range(5):
                img[r + k, c + k] += 1.5
    return images[..., None], labels.astype("int64")


rng = np.random.default_rng(3)
x_train, y_train = draw(1280, rng)
x_test, y_test = draw(400, rng)
x_train = torch.from_numpy(x_train.transpose(0, 3, 1, 2).copy())
x_test = torch.from_numpy(x_test.transpose(0, 3, 1, 2).copy())
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)

torch.manual_seed(0)


class ShapeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3)
        self.fc = nn.Linear(24, 4)
        for layer in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        return self.fc(x.mean(dim=(2, 3)))


model = ShapeNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.9)
ACCUMULATE, SMOOTH = 4, 0.1


def smoothed_cross_entropy(logits, labels):
    target = torch.full_like(logits, SMOOTH / logits.shape[1])
    target.scatter_(1, labels[:, None], 1.0 - SMOOTH + SMOOTH / logits.shape[1])
    return -(target * torch.log_softmax(logits, dim=1)).sum(1).mean()


def micro_step(k, xb, yb):
    loss = smoothed_cross_entropy(model(xb), yb)
    (loss / ACCUMULATE).backward()
    if (k + 1) % ACCUMULATE == 0:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=16, shuffle=True)
for epoch in range(1, 8):
    model.train()
    total = 0.0
    for k, (xb, yb) in enumerate(loader):
        total += micro_step(k, xb, yb) * len(xb)
    print(f"epoch {epoch} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    out = model(x_test)
    acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"test loss {smoothed_cross_entropy(out, y_test).item():.4f} accuracy {acc:.4f}")
