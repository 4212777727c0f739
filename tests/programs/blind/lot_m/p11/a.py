import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(23)
VOCAB, LEN = 200, 12
n = 1500
y = rng.integers(0, 4, size=n)
topic = rng.dirichlet(np.full(VOCAB, 0.15), size=4)
X = np.stack([rng.choice(VOCAB, size=LEN, p=0.5 * topic[k] + 0.5 / VOCAB) for k in y]).astype("int64")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]


class TextNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.fc1 = nn.Linear(16, 32)
        self.fc2 = nn.Linear(32, 4)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, ids):
        h = self.emb(ids).mean(dim=1)
        return self.fc2(torch.relu(self.fc1(h)))


torch.manual_seed(5)
net = TextNet()
opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.0)
ce = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr)), batch_size=50, shuffle=True)
for epoch in range(24):
    total, right = 0.0, 0
    for xb, yb in loader:
        out = net(xb)
        loss = ce(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
        right += int((out.argmax(1) == yb).sum())
    print(f"epoch {epoch + 1} loss {total / len(ytr):.4f} acc {right / len(ytr):.4f}")

with torch.no_grad():
    out = net(torch.from_numpy(Xte))
    print(f"test loss {ce(out, torch.from_numpy(yte)).item():.4f} acc {(out.argmax(1).numpy() == yte).mean():.4f}")
