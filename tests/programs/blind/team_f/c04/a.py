"""Learning to rank with the ListNet loss, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_data():
    """Result lists of 4 to 12 documents with 10 features, relevance 0..3, padded to 12."""
    rng = np.random.default_rng(47)
    n, docs, feats = 1000, 12, 10
    x = rng.normal(size=(n, docs, feats))
    w = rng.normal(size=feats)
    quality = x @ w + 1.5 * x[..., 0] * x[..., 1] - 1.2 * np.abs(x[..., 2]) + 0.5 * rng.normal(size=(n, docs))
    rel = np.digitize(quality, [-0.5, 1.5, 3.5]).astype("float32")
    length = rng.integers(4, docs + 1, n)
    mask = (np.arange(docs)[None] < length[:, None]).astype("float32")
    x = (x * mask[..., None]).astype("float32")
    rel = rel * mask
    return (x[:810], rel[:810], mask[:810]), (x[810:], rel[810:], mask[810:])


def ndcg_at_5(score, rel, mask):
    score = np.where(mask > 0, score, -np.inf)
    discount = 1 / np.log2(np.arange(2, 7))
    gain = np.take_along_axis(2.0 ** rel - 1, np.argsort(-score, axis=1), 1)[:, :5]
    ideal = -np.sort(-(2.0 ** rel - 1), axis=1)[:, :5]
    best = (ideal * discount).sum(1)
    ok = best > 0
    return float(((gain * discount).sum(1)[ok] / best[ok]).mean())


def listnet(scores, rel, mask):
    pad = mask == 0
    target = torch.softmax(rel.masked_fill(pad, -1e9), dim=1)
    logp = torch.log_softmax(scores.masked_fill(pad, -1e9), dim=1)
    return -(target * logp * mask).sum(dim=1).mean()


def main():
    torch.manual_seed(0)
    train, test = make_data()
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, train)), batch_size=24, shuffle=True)
    xv, rv, mv = map(torch.from_numpy, test)
    # PyTorch's own initialisers are kept
    scorer = nn.Sequential(nn.Linear(10, 40), nn.ELU(), nn.Linear(40, 20), nn.ELU(), nn.Linear(20, 1, bias=False))
    opt = torch.optim.Adagrad(scorer.parameters(), lr=0.06, lr_decay=0, weight_decay=0,
                              initial_accumulator_value=0.1, eps=1e-10)
    for epoch in range(12):
        scorer.train()
        total = 0.0
        for x, rel, mask in loader:
            loss = listnet(scorer(x).squeeze(-1), rel, mask)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        scorer.eval()
        with torch.no_grad():
            s = scorer(xv).squeeze(-1)
            val = listnet(s, rv, mv).item()
        print(f"epoch {epoch + 1:2d}  listnet {total / len(train[0]):.4f}  test {val:.4f}  ndcg@5 {ndcg_at_5(s.numpy(), test[1], test[2]):.4f}")


if __name__ == "__main__":
    main()
