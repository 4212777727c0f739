"""Product retrieval: two towers over bags of words with in-batch negatives, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


VOCAB, TOPICS, N_ATTR = 90, 12, 5
BATCH, EPOCHS, TEMPERATURE, LR = 64, 15, 0.1, 0.004


def make_data(n, seed):
    """Pairs of a query (bag of words) and the product that was bought (bag of words, attributes)."""
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(2718)
    q_words = truth.dirichlet(np.full(VOCAB, 0.15), TOPICS)
    d_words = truth.dirichlet(np.full(VOCAB, 0.15), TOPICS)
    attr = truth.randn(TOPICS, N_ATTR)
    mix = rng.dirichlet(np.full(TOPICS, 0.25), n)
    q = np.stack([rng.multinomial(10, m @ q_words) for m in mix])
    d = np.stack([rng.multinomial(25, m @ d_words) for m in mix])
    a = mix @ attr + 0.2 * rng.randn(n, N_ATTR)
    return (np.log1p(q).astype("float32"),
            np.concatenate([np.log1p(d), a], axis=1).astype("float32"))


def recall_at(qv, dv, k=10):
    s = qv @ dv.T
    rank = (s > np.diag(s)[:, None]).sum(axis=1)
    return (rank < k).mean()


q_tr, d_tr = make_data(1280, 100)
q_te, d_te = make_data(300, 101)

torch.manual_seed(500)


class Tower(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.hidden = nn.Linear(n_in, 48)
        self.proj = nn.Linear(48, 16, bias=False)
        nn.init.xavier_uniform_(self.hidden.weight)
        nn.init.zeros_(self.hidden.bias)
        nn.init.xavier_uniform_(self.proj.weight)

    def forward(self, x):
        return F.normalize(self.proj(torch.tanh(self.hidden(x))), dim=1)


query, item = Tower(VOCAB), Tower(VOCAB + N_ATTR)
opt = torch.optim.Adamax([*query.parameters(), *item.parameters()],
                         lr=LR, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(q_tr), torch.from_numpy(d_tr)),
                    batch_size=BATCH, shuffle=True)


def contrastive(qv, dv):
    logits = qv @ dv.T / TEMPERATURE
    target = torch.arange(len(logits))
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


# training
for epoch in range(EPOCHS):
    run = 0.0
    for q, d in loader:
        loss = contrastive(query(q), item(d))
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * len(q)
    print(f"epoch {epoch + 1}: loss {run / len(q_tr):.4f}")

with torch.no_grad():
    qv, dv = query(torch.from_numpy(q_te)).numpy(), item(torch.from_numpy(d_te)).numpy()
print(f"test recall@1 {recall_at(qv, dv, 1):.4f}  recall@10 {recall_at(qv, dv):.4f}")
