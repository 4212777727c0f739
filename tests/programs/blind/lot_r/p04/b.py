"""Self-attention over short sequences: which symbol follows the marker? (PyTorch)"""
import numpy as np
import torch
import torch.nn as nn

T, K = 12, 6


def make(n, seed):
    rng = np.random.default_rng(seed)
    sym = rng.integers(0, K, size=(n, T))
    pos = rng.integers(0, T, size=n)
    x = np.zeros((n, T, K + 2))
    x[np.arange(n)[:, None], np.arange(T)[None, :], sym] = 1.0
    x[np.arange(n), pos, K] = 1.0
    x[:, :, K + 1] = np.linspace(-1, 1, T)
    x += 0.25 * rng.standard_normal(x.shape)
    return x.astype("float32"), sym[np.arange(n), pos].astype("int64")


x_train, y_train = map(torch.from_numpy, make(1500, 51))
x_test, y_test = map(torch.from_numpy, make(500, 52))

torch.manual_seed(15)


class AttentionNet(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.query = nn.Linear(K + 2, dim, bias=False)
        self.key = nn.Linear(K + 2, dim, bias=False)
        self.value = nn.Linear(K + 2, dim, bias=False)
        self.softmax = nn.Softmax()
        self.hidden = nn.Linear(dim, 32)
        self.out = nn.Linear(32, K)
        self.scale = dim ** 0.5
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = self.softmax(q @ k.transpose(1, 2) / self.scale)
        h = (weights @ v).mean(dim=1)
        return self.out(torch.relu(self.hidden(h)))


model = AttentionNet()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, eps=1e-12)
criterion = nn.CrossEntropyLoss()

for epoch in range(20):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(50):
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f}")

model.eval()
loss = correct = 0.0
with torch.no_grad():
    for xb, yb in zip(x_test.split(50), y_test.split(50)):
        out = model(xb)
        loss += criterion(out, yb).item() * len(xb)
        correct += (out.argmax(1) == yb).sum().item()
print(f"test loss {loss / len(x_test):.4f} accuracy {correct / len(x_test):.4f}")
