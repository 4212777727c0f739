"""Two-tower product search with in-batch negatives (PyTorch modules)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST, BATCH, EPOCHS = 2560, 500, 64, 5
Q_WORDS, D_WORDS, TOPICS = 120, 200, 30
TEMPERATURE = 0.1


def make_data():
    """Queries and product texts as bags of words that come from a shared mixture of topics."""
    rng = np.random.RandomState(1234)
    n = N_TRAIN + N_TEST
    q_topic = rng.dirichlet(np.full(Q_WORDS, 0.08), TOPICS)
    d_topic = rng.dirichlet(np.full(D_WORDS, 0.08), TOPICS)
    theta = rng.dirichlet(np.full(TOPICS, 0.1), n)
    q = np.stack([rng.multinomial(14, p / p.sum()) for p in theta @ q_topic])
    d = np.stack([rng.multinomial(50, p / p.sum()) for p in theta @ d_topic])
    q = np.sqrt(q).astype("float32")
    d = np.sqrt(d).astype("float32")
    return q[:N_TRAIN], d[:N_TRAIN], q[N_TRAIN:], d[N_TRAIN:]


class Tower(nn.Sequential):
    def __init__(self, words):
        super().__init__(nn.Linear(words, 64), nn.ELU(), nn.Linear(64, 24))

    def forward(self, x):
        return F.normalize(super().forward(x), dim=-1)


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.item = Tower(Q_WORDS), Tower(D_WORDS)

    def forward(self, q, d):
        return self.query(q) @ self.item(d).T / TEMPERATURE


def info_nce(sim):
    target = torch.arange(sim.shape[0])
    return 0.5 * (F.cross_entropy(sim, target) + F.cross_entropy(sim.T, target))


def make_optimizer(model):
    return torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, eps=1e-4, momentum=0.0,
                               centered=False, weight_decay=0.0)


def recall_at_10(sim):
    rank = (sim > sim.diagonal()[:, None]).sum(1)
    return (rank < 10).float().mean().item()


def main():
    torch.manual_seed(6)
    q, d, tq, td = (torch.from_numpy(a) for a in make_data())
    model = TwoTower()
    opt = make_optimizer(model)
    loader = DataLoader(TensorDataset(q, d), batch_size=BATCH, shuffle=True, drop_last=True)
    print("weights", sum(p.numel() for p in model.parameters()))
    for epoch in range(EPOCHS):
        losses = []
        for qb, db in loader:
            loss = info_nce(model(qb, db))
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        with torch.no_grad():
            sim = model(tq, td)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} test {info_nce(sim).item():.4f} "
              f"recall@10 {recall_at_10(sim):.3f}")


if __name__ == "__main__":
    main()
