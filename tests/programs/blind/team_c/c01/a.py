"""Click-through model: deep & cross network on hashed categories and numeric features (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

SIZES = (12, 8, 6)
N_TRAIN, N_TEST = 4000, 1000
BATCH, EPOCHS = 100, 6
EMB, HIDDEN = 16, 32


def make_data():
    rng = np.random.RandomState(2024)
    n = N_TRAIN + N_TEST
    cats = [rng.randint(0, s, n) for s in SIZES]
    num = rng.randn(n, 6).astype("float32")
    w = [rng.randn(s) * 0.6 for s in SIZES]
    cross = rng.randn(SIZES[0], SIZES[1]) * 1.2
    z = w[0][cats[0]] + w[1][cats[1]] + w[2][cats[2]] + cross[cats[0], cats[1]]
    z = z + num @ rng.randn(6) * 0.5 + 0.7 * num[:, 0] * num[:, 1] - 1.0
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("float32")
    # one-hot of each field and of the crossed pair (publisher x device)
    oh = [np.eye(s, dtype="float32")[c] for s, c in zip(SIZES, cats)]
    oh.append(np.eye(SIZES[0] * SIZES[1], dtype="float32")[cats[0] * SIZES[1] + cats[1]])
    sparse = np.concatenate(oh, axis=1)
    return (sparse[:N_TRAIN], num[:N_TRAIN], y[:N_TRAIN],
            sparse[N_TRAIN:], num[N_TRAIN:], y[N_TRAIN:])


class DCN(nn.Module):
    def __init__(self, n_sparse, n_num):
        super().__init__()
        d = EMB + n_num
        self.emb = nn.Linear(n_sparse, EMB, bias=False)
        self.cross1 = nn.Linear(d, d)
        self.cross2 = nn.Linear(d, d)
        self.deep = nn.Linear(d, HIDDEN)
        self.out = nn.Linear(d + HIDDEN, 1)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, sparse, num):
        x0 = torch.cat([self.emb(sparse), num], dim=1)
        x = x0 * self.cross1(x0) + x0
        x = x0 * self.cross2(x) + x
        h = F.relu(self.deep(x0))
        return self.out(torch.cat([x, h], dim=1)).squeeze(1)


def make_optimizer(model):
    return torch.optim.Adagrad(model.parameters(), lr=0.05, initial_accumulator_value=0.1, eps=1e-10)


def train_step(model, opt, s, v, t):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(model(s, v), t)
    loss.backward()
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(11)
    s, v, y, s_te, v_te, y_te = make_data()
    model = DCN(s.shape[1], v.shape[1])
    opt = make_optimizer(model)
    ts, tv, ty = map(torch.from_numpy, (s, v, y))
    for epoch in range(EPOCHS):
        perm = torch.randperm(N_TRAIN)
        total = 0.0
        for i in range(0, N_TRAIN, BATCH):
            idx = perm[i:i + BATCH]
            total += train_step(model, opt, ts[idx], tv[idx], ty[idx]) * len(idx)
        print(f"epoch {epoch + 1} logloss {total / N_TRAIN:.4f}")
    with torch.no_grad():
        z = model(torch.from_numpy(s_te), torch.from_numpy(v_te))
        ll = F.binary_cross_entropy_with_logits(z, torch.from_numpy(y_te)).item()
    print(f"test logloss {ll:.4f} auc {roc_auc_score(y_te, z.numpy()):.4f}")


if __name__ == "__main__":
    main()
