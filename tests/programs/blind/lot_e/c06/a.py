import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(100)

digits = load_digits()
perm = np.random.RandomState(42).permutation(1797)
X = (digits.images[perm, None] / 16.0).astype("float32")
Y = digits.target[perm]
X_train, Y_train, X_test, Y_test = (torch.from_numpy(X[:1437]), torch.from_numpy(Y[:1437]),
                                    torch.from_numpy(X[1437:]), torch.from_numpy(Y[1437:]))

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(2),
    nn.Flatten(),
    nn.Linear(64, 10),
)
for m in model.modules():
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        if m.bias is not None:
            nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(X_train, Y_train), batch_size=64, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True,
                            weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[6, 9], gamma=0.2)
criterion = nn.CrossEntropyLoss()

for epoch in range(11):
    model.train()
    seen, total = 0, 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    scheduler.step()
    print(f"{epoch}: {total / seen:.4f}")

model.eval()
with torch.no_grad():
    print("accuracy", (model(X_test).argmax(1) == Y_test).double().mean().item())
