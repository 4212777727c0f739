import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(5)
N = 1500
cards = [12, 7, 20, 5]
offsets = np.cumsum([0] + cards[:-1])
codes = np.stack([rng.randint(0, c, N) for c in cards], axis=1)
effect = [rng.randn(c) for c in cards]
num = rng.randn(N, 3).astype("float32")
score = sum(effect[j][codes[:, j]] for j in range(4)) + num[:, 0] - effect[0][codes[:, 0]] * num[:, 1]
label = (score + 0.3 * rng.randn(N) > 0).astype("float32")[:, None]
ids = (codes + offsets).astype("int64")
n_vocab = sum(cards)
tr, te = slice(0, 1200), slice(1200, None)

torch.manual_seed(3)


class Tabular(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(n_vocab, 6)
        self.hidden = nn.Linear(4 * 6 + 3, 32)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(32, 1)
        nn.init.uniform_(self.table.weight, -0.05, 0.05)
        for lin in (self.hidden, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, c, v):
        z = torch.cat([self.table(c).flatten(1), v], dim=1)
        return self.out(self.drop(torch.tanh(self.hidden(z))))


model = Tabular()
opt = torch.optim.SGD(model.parameters(), lr=0.5)
bce = nn.BCEWithLogitsLoss()
C, V, Y = torch.from_numpy(ids[tr]), torch.from_numpy(num[tr]), torch.from_numpy(label[tr])

for epoch in range(18):
    model.train()
    tot = 0.0
    for b in torch.randperm(len(Y)).split(50):
        opt.zero_grad()
        loss = bce(model(C[b], V[b]), Y[b])
        loss.backward()
        opt.step()
        tot += loss.item() * len(b)
    print(epoch + 1, round(tot / len(Y), 4))

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(ids[te]), torch.from_numpy(num[te])).numpy()
print("test accuracy", float(((out > 0) == (label[te] > 0.5)).mean()))
