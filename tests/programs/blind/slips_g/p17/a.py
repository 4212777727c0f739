"""Retrieval: two towers on bags of words, in-batch negatives (PyTorch modules and DataLoader)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST, TOPICS = 2000, 200, 10
V_QUERY, V_ITEM, HID, DIM = 80, 60, 32, 16
BATCH, EPOCHS, LR, TEMP = 64, 8, 2e-3, 0.1


def make_data():
    rng = np.random.RandomState(123)
    n = N_TRAIN + N_TEST
    tq = rng.dirichlet(np.full(V_QUERY, 0.08), TOPICS)
    ti = rng.dirichlet(np.full(V_ITEM, 0.08), TOPICS)
    mix = rng.dirichlet(np.full(TOPICS, 0.3), n)
    q = np.stack([rng.multinomial(12, p / p.sum()) for p in mix @ tq])
    d = np.stack([rng.multinomial(20, p / p.sum()) for p in mix @ ti])
    q = (q / q.sum(1, keepdims=True)).astype("float32")  # mean over the words
    d = (d / d.sum(1, keepdims=True)).astype("float32")
    return q[:N_TRAIN], d[:N_TRAIN], q[N_TRAIN:], d[N_TRAIN:]


def recall(sim, k):
    rank = (sim > np.diag(sim)[:, None]).sum(axis=1)
    return float((rank < k).mean())


class Tower(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.words = nn.Linear(vocab, HID)
        self.proj = nn.Linear(HID, DIM)

    def forward(self, x):
        return F.normalize(self.proj(torch.tanh(self.words(x))), dim=1, eps=1e-12)


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = Tower(V_QUERY)
        self.item = Tower(V_ITEM)

    def forward(self, q, d):
        return self.query(q) @ self.item(d).T


def make_optimizer(model):
    return torch.optim.RMSprop(model.parameters(), lr=LR, alpha=0.95, eps=1e-8)


def train_step(model, opt, q, d):
    logits = model(q, d) / TEMP
    target = torch.arange(len(q))
    loss = 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(17)
    q, d, q_te, d_te = make_data()
    loader = DataLoader(TensorDataset(torch.from_numpy(q), torch.from_numpy(d)),
                        batch_size=BATCH, shuffle=True)
    model = TwoTower()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        losses = [train_step(model, opt, bq, bd) for bq, bd in loader]
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        sim = model(torch.from_numpy(q_te), torch.from_numpy(d_te)).numpy()
    print(f"recall@1 {recall(sim, 1):.3f} recall@10 {recall(sim, 10):.3f}")


if __name__ == "__main__":
    main()
