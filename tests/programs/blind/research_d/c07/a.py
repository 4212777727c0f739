"""Next-token model with a hand-made gated cell and tied input/output embeddings. PyTorch modules."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

VOCAB, LENGTH, DIM, BATCH, EPOCHS, LR = 12, 12, 32, 50, 12, 0.4
torch.manual_seed(17)


def make_data(n, seed):
    # two hidden modes, each with its own sharp transition matrix; a sequence keeps its mode
    law = np.random.default_rng(99).dirichlet(0.15 * np.ones(VOCAB), size=(2, VOCAB))
    r = np.random.default_rng(seed)
    out = np.zeros((n, LENGTH + 1), dtype="int64")
    for i in range(n):
        mode = r.integers(2)
        out[i, 0] = r.integers(VOCAB)
        for t in range(LENGTH):
            out[i, t + 1] = r.choice(VOCAB, p=law[mode, out[i, t]])
    return out


train, test = make_data(1500, 1), make_data(400, 2)


class GatedCell(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.xf = nn.Linear(dim, dim)
        self.hf = nn.Linear(dim, dim, bias=False)
        self.xc = nn.Linear(dim, dim)
        self.hc = nn.Linear(dim, dim, bias=False)
        for lin in (self.xf, self.xc):
            nn.init.xavier_uniform_(lin.weight)
        for lin in (self.hf, self.hc):
            nn.init.orthogonal_(lin.weight)
        nn.init.constant_(self.xf.bias, -1.0)
        nn.init.zeros_(self.xc.bias)

    def forward(self, x, h):
        f = torch.sigmoid(self.xf(x) + self.hf(h))
        c = torch.tanh(self.xc(x) + self.hc(h))
        return (1 - f) * h + f * c


class TiedLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, DIM)
        self.cell = GatedCell(DIM)
        self.out_bias = nn.Parameter(torch.zeros(VOCAB))
        nn.init.normal_(self.emb.weight, mean=0.0, std=0.2)

    def forward(self, ids):
        h = torch.zeros(ids.shape[0], DIM)
        logits = []
        for t in range(ids.shape[1]):
            h = self.cell(self.emb(ids[:, t]), h)
            logits.append(F.linear(h, self.emb.weight, self.out_bias))
        return torch.stack(logits, dim=1)


def nll(model, seqs):
    logits = model(seqs[:, :-1])
    return F.cross_entropy(logits.reshape(-1, VOCAB), seqs[:, 1:].reshape(-1))


model = TiedLM()
opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)


def train_step(seqs):
    loss = nll(model, seqs)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
    opt.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(torch.from_numpy(train)), batch_size=BATCH, shuffle=True)
for epoch in range(EPOCHS):
    losses = [train_step(seqs) for (seqs,) in loader]
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
model.eval()
with torch.no_grad():
    print(f"test perplexity {torch.exp(nll(model, torch.from_numpy(test))).item():.4f}")
