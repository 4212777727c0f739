import numpy as np
import torch
from torch import nn

torch.manual_seed(2024)

VOCAB, MAXLEN = 40, 14


def make_corpus(n):
    rng = np.random.default_rng(100)
    ids = np.zeros((n, MAXLEN), dtype=np.int32)
    label = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(5, MAXLEN + 1)
        words = rng.integers(1, VOCAB, length)
        marked = rng.random(length) < 0.35
        words[marked] = rng.integers(1, 8, marked.sum()) + (7 if label[i] else 0)
        ids[i, :length] = words
    return ids, label.astype(np.float32)[:, None]


class TextNet(nn.Module):
    def __init__(self, dim=16, heads=2):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, dim)
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm = nn.LayerNorm(dim, eps=1e-5)
        self.fc = nn.Linear(dim, 16)
        self.out = nn.Linear(16, 1)

        nn.init.uniform_(self.emb.weight, -0.3, 0.3)
        for block in self.attn.in_proj_weight.data.chunk(3, dim=0):
            nn.init.xavier_uniform_(block)
        nn.init.zeros_(self.attn.in_proj_bias)
        for lin in (self.attn.out_proj, self.fc, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, tok):
        pad = tok == 0
        e = self.emb(tok)
        a, _ = self.attn(e, e, e, key_padding_mask=pad, need_weights=False)
        h = self.norm(e + a)
        w = (~pad).float().unsqueeze(-1)
        pooled = (h * w).sum(1) / w.sum(1)
        return self.out(torch.relu(self.fc(pooled)))


ids, label = make_corpus(1200)
tok, y = torch.from_numpy(ids).long(), torch.from_numpy(label)

model = TextNet()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
bce = nn.BCEWithLogitsLoss()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(tok[:960], y[:960]),
                                     batch_size=32, shuffle=True)
for epoch in range(15):
    model.train()
    for tb, yb in loader:
        opt.zero_grad()
        bce(model(tb), yb).backward()
        opt.step()

model.eval()
with torch.no_grad():
    logits = model(tok[960:])
    acc = ((logits > 0) == (y[960:] > 0.5)).float().mean().item()
    print("bce %.4f acc %.4f" % (bce(logits, y[960:]).item(), acc))
