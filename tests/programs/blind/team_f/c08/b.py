"""Two-tower retrieval with in-batch negatives; word-count matrices and plain tensors."""
import numpy as np
import torch

VOCAB = 500
TAU = 0.1


def make_data():
    """Queries and documents as bags of word ids; a pair shares a mixture of topics but few words."""
    rng = np.random.default_rng(83)
    n, topics = 3300, 24
    word_p = rng.dirichlet(np.full(VOCAB, 0.04), topics)

    def draw(weights, length):
        p = weights @ word_p
        return rng.choice(VOCAB, size=length, p=p / p.sum())

    pairs = []
    for _ in range(n):
        main, side = rng.choice(topics, 2, replace=False)
        weights = np.full(topics, 0.004)
        weights[main] += 0.65
        weights[side] += 0.35
        pairs.append((draw(weights, rng.integers(5, 11)), draw(weights, rng.integers(15, 31))))
    return pairs[:3000], pairs[3000:]


def frequencies(bags):
    m = np.zeros((len(bags), VOCAB), dtype="float32")
    for i, bag in enumerate(bags):
        np.add.at(m[i], bag, 1.0 / len(bag))
    return torch.from_numpy(m)


def glorot(gen, rows, cols):
    bound = (6 / (rows + cols)) ** 0.5
    return (torch.rand(rows, cols, generator=gen) * 2 - 1) * bound


def tower_params(gen):
    return {
        "E": torch.randn(VOCAB, 32, generator=gen),
        "W1": glorot(gen, 32, 32), "b1": torch.zeros(32),
        "W2": glorot(gen, 32, 16), "b2": torch.zeros(16),
    }


def encode(p, freq):
    z = torch.tanh(freq @ p["E"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return z / z.square().sum(1, keepdim=True).sqrt().clamp_min(1e-12)


def info_nce(s):
    s = s / TAU
    d = s.diagonal()
    rows = (torch.logsumexp(s, 1) - d).mean()
    cols = (torch.logsumexp(s, 0) - d).mean()
    return (rows + cols) / 2


def main():
    gen = torch.Generator().manual_seed(31337)
    train, test = make_data()
    q, d = frequencies([a for a, _ in train]), frequencies([b for _, b in train])
    qt, dt = frequencies([a for a, _ in test]), frequencies([b for _, b in test])
    query, doc = tower_params(gen), tower_params(gen)
    weights = list(query.values()) + list(doc.values())
    for w in weights:
        w.requires_grad_(True)
    speed = [torch.zeros_like(w) for w in weights]

    for epoch in range(8):
        order = torch.randperm(len(q), generator=gen)
        total = 0.0
        for i in range(0, len(q), 64):
            rows = order[i:i + 64]
            loss = info_nce(encode(query, q[rows]) @ encode(doc, d[rows]).T)
            grads = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for w, v, g in zip(weights, speed, grads):  # momentum 0.9, L2 on everything
                    v.mul_(0.9).add_(g + 1e-5 * w)
                    w.sub_(0.3 * v)
            total += loss.item() * len(rows)
        with torch.no_grad():
            s = encode(query, qt) @ encode(doc, dt).T
        rank = (s > s.diagonal()[:, None]).sum(1)
        print(f"epoch {epoch + 1}  loss {total / len(q):.4f}  recall@10 {(rank < 10).float().mean():.3f}"
              f"  mrr {(1 / (rank + 1.0)).mean():.3f}")


if __name__ == "__main__":
    main()
