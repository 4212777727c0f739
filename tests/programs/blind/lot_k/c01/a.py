import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

digits = load_digits()
order = np.random.RandomState(11).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1300], labels[:1300]
x_test, y_test = images[1300:], labels[1300:]

LR, MOMENTUM, L2, BATCH, EPOCHS = 0.03, 0.9, 5e-4, 64, 15

torch.manual_seed(1)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.drop = nn.Dropout(0.25)
        self.fc1 = nn.Linear(144, 32)
        self.fc2 = nn.Linear(32, 10)
        for m in self.kernel_layers():
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def kernel_layers(self):
        return [self.conv1, self.conv2, self.fc1, self.fc2]

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = self.drop(x)
        return self.fc2(F.relu(self.fc1(x)))


model = ConvNet()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train)[:, None], torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True, drop_last=False)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        loss = loss + L2 * sum((m.weight ** 2).sum() for m in model.kernel_layers())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: objective {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test)[:, None])
    ce = F.cross_entropy(logits, torch.from_numpy(y_test)).item()
print(f"test: cross-entropy {ce:.4f} accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
