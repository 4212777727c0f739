import numpy as np
import torch
from torch import nn

VOCAB, MAXLEN, DIM = 60, 14, 12


def corpus():
    rng = np.random.default_rng(71)
    tone = rng.normal(size=VOCAB)
    ids = np.zeros((1500, MAXLEN), dtype="int64")
    label = np.zeros(1500, dtype="float32")
    for i in range(1500):
        k = rng.integers(4, MAXLEN + 1)
        words = rng.integers(1, VOCAB, size=k)
        ids[i, :k] = words
        label[i] = float(tone[words].mean() + 0.05 * rng.normal() > tone[1:].mean())
    return ids[:1200], label[:1200], ids[1200:], label[1200:]


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, DIM)
        self.fc1 = nn.Linear(DIM, 16)
        self.fc2 = nn.Linear(16, 1)
        nn.init.uniform_(self.emb.weight, -0.05, 0.05)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, ids):
        mask = (ids != 0).float().unsqueeze(-1)
        mean = (self.emb(ids) * mask).sum(1) / mask.sum(1)
        return self.fc2(torch.tanh(self.fc1(mean))).squeeze(-1)


ids, lab, ids_t, lab_t = map(torch.from_numpy, corpus())
torch.manual_seed(3)
net = Bag()
bce = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(net.parameters(), lr=1.0)
for epoch in range(16):
    perm = torch.randperm(len(ids))
    tot = 0.0
    for chunk in perm.split(40):
        opt.zero_grad()
        loss = bce(net(ids[chunk]), lab[chunk])
        loss.backward()
        opt.step()
        tot += loss.item() * len(chunk)
    print(epoch, "%.4f" % (tot / len(ids)))
with torch.no_grad():
    z = net(ids_t)
print("test loss %.4f" % bce(z, lab_t).item(), "acc %.4f" % ((z > 0) == (lab_t > 0.5)).float().mean().item())
