import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)


def textures(n, size=16, seed=0):
    """Four kinds of surface: horizontal, vertical and diagonal stripes, spots."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:size, 0:size].astype("float64")
    images = np.empty((n, size, size, 1), "float32")
    labels = rng.integers(0, 4, n)
    for i, k in enumerate(labels):
        f = rng.uniform(0.8, 1.4)
        p, q = rng.uniform(0, 2 * np.pi, 2)
        if k == 0:
            img = np.sin(f * yy + p)
        elif k == 1:
            img = np.sin(f * xx + p)
        elif k == 2:
            img = np.sin(f * (xx + yy) / 1.4 + p)
        else:
            img = np.sin(f * xx + p) * np.sin(f * yy + q)
        images[i, :, :, 0] = rng.uniform(0.5, 1.0) * img + rng.normal(0, 0.7, (size, size))
    return images, labels.astype("int32")


class BatchNorm(nn.BatchNorm2d):
    """BatchNorm2d whose running variance is the biased one (as in Keras)."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
            self.num_batches_tracked += 1
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class TextureNet(nn.Module):
    def __init__(self, n_classes=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1, bias=False)
        self.bn1 = BatchNorm(12, eps=1e-5, momentum=0.1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(24, eps=1e-5, momentum=0.1)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(24, n_classes)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.relu(self.bn2(self.conv2(x)))
        x = x.mean(dim=(2, 3))
        return self.fc(self.drop(x))


x_train, y_train = textures(1280, seed=10)
x_test, y_test = textures(400, seed=11)


def to_dataset(x, y):
    return TensorDataset(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(y).long())


train_loader = DataLoader(to_dataset(x_train, y_train), batch_size=64, shuffle=True)
test_loader = DataLoader(to_dataset(x_test, y_test), batch_size=200)

model = TextureNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)

# ---- training
for epoch in range(8):
    model.train()
    seen, total, hits = 0, 0.0, 0
    for images, labels in train_loader:
        optimizer.zero_grad()
        logits = model(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        seen += len(labels)
        total += loss.item() * len(labels)
        hits += (logits.argmax(1) == labels).sum().item()
    print(f"epoch {epoch + 1}: loss {total / seen:.4f} accuracy {hits / seen:.4f}")

model.eval()
total, hits = 0.0, 0
with torch.no_grad():
    for images, labels in test_loader:
        logits = model(images)
        total += F.cross_entropy(logits, labels, reduction="sum").item()
        hits += (logits.argmax(1) == labels).sum().item()
print(f"test loss {total / len(x_test):.4f} accuracy {hits / len(x_test):.4f}")
