import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

digits = load_digits()
images = (digits.images / 16.0).astype("float32")
labels = digits.target.astype("int64")
perm = np.random.default_rng(0).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = images[:1280], labels[:1280]
x_test, y_test = images[1280:], labels[1280:]

torch.manual_seed(21)


class Separable(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.depthwise = nn.Conv2d(cin, cin, 3, padding=1, groups=cin)
        self.pointwise = nn.Conv2d(cin, cout, 1)
        nn.init.xavier_uniform_(self.pointwise.weight)
        nn.init.zeros_(self.depthwise.bias)
        nn.init.zeros_(self.pointwise.bias)

    def forward(self, x):
        return torch.relu(self.pointwise(self.depthwise(x)))


stem = nn.Conv2d(1, 24, 3, padding=1)
head = nn.Linear(48 * 4 * 4, 10)
for layer in (stem, head):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
model = nn.Sequential(
    stem, nn.ReLU(),
    Separable(24, 32),
    nn.MaxPool2d(2),
    Separable(32, 48),
    nn.Flatten(),
    head,
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train)),
    batch_size=64, shuffle=True,
)
for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test[:, None]))
    test_loss = loss_fn(logits, torch.from_numpy(y_test)).item()
accuracy = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {accuracy:.4f}")
