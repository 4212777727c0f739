import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(88)
t = np.arange(32) / 32.0
kind = rng.integers(0, 3, size=700)
freq = np.array([2.0, 3.0, 4.0])[kind] + 0.4 * rng.normal(size=700)
phase = rng.uniform(0, 2 * np.pi, size=700)
signal = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None]) + 0.5 * rng.normal(size=(700, 32))
signal = torch.from_numpy(signal.astype("float32"))[:, None, :]
kind = torch.from_numpy(kind.astype("int64"))
x_train, y_train, x_test, y_test = signal[:560], kind[:560], signal[560:], kind[560:]

torch.manual_seed(2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 16, 5, padding=2)
        self.pool = nn.MaxPool1d(2)
        self.conv2 = nn.Conv1d(16, 32, 5, padding=2)
        self.head = nn.Linear(32, 3)
        for m in (self.conv1, self.conv2, self.head):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = torch.relu(self.conv2(x)).mean(dim=2)
        return self.head(x)


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.NAdam(model.parameters(), lr=0.02, betas=(0.95, 0.999), eps=1e-8)

for i in range(1, 13):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(20):
        loss = criterion(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {i} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    out = model(x_test)
print(f"test loss {criterion(out, y_test).item():.4f}")
print(f"test accuracy {(out.argmax(1) == y_test).float().mean().item():.4f}")
