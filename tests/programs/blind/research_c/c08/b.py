# A one-block causal language model on a second-order chain, as functions over a dictionary of tensors
import math
import numpy as np
import torch

gen = torch.Generator().manual_seed(1234)
VOCAB, LENGTH, DIM, HEADS, INNER = 9, 14, 32, 4, 64

rng = np.random.default_rng(808)
table = rng.dirichlet(np.full(VOCAB, 0.12), size=(VOCAB, VOCAB))
cum = table.cumsum(-1)


def chains(n):
    seq = np.zeros((n, LENGTH + 1), dtype=np.int64)
    seq[:, :2] = rng.integers(0, VOCAB, size=(n, 2))
    for t in range(2, LENGTH + 1):
        u = rng.random((n, 1))
        seq[:, t] = np.minimum((u > cum[seq[:, t - 2], seq[:, t - 1]]).sum(1), VOCAB - 1)
    return seq


train, test = torch.from_numpy(chains(900)), torch.from_numpy(chains(200))


def normal(*shape):
    return 0.2 * torch.randn(*shape, generator=gen)


def glorot(n_in, n_out):
    r = math.sqrt(6.0 / (n_in + n_out))
    return (2 * torch.rand(n_in, n_out, generator=gen) - 1) * r


params = {
    "embed": normal(VOCAB, DIM), "place": normal(LENGTH, DIM),
    "wq": glorot(DIM, DIM), "wk": glorot(DIM, DIM), "wv": glorot(DIM, DIM),
    "wo": glorot(DIM, DIM), "bo": torch.zeros(DIM),
    "w1": glorot(DIM, INNER), "b1": torch.zeros(INNER),
    "w2": glorot(INNER, DIM), "b2": torch.zeros(DIM),
}
for i in (1, 2, 3):
    params[f"gain{i}"], params[f"shift{i}"] = torch.ones(DIM), torch.zeros(DIM)
for value in params.values():
    value.requires_grad_(True)
momentum = {name: torch.zeros_like(value) for name, value in params.items()}


def normalise(x, p, i):
    centred = x - x.mean(-1, keepdim=True)
    var = (centred * centred).mean(-1, keepdim=True)
    return centred / torch.sqrt(var + 1e-5) * p[f"gain{i}"] + p[f"shift{i}"]


def heads(x):
    return x.unflatten(-1, (HEADS, DIM // HEADS)).transpose(1, 2)


def lm(p, ids):
    t = ids.shape[1]
    x = p["embed"][ids] + p["place"][:t]
    n = normalise(x, p, 1)
    q, k, v = heads(n @ p["wq"]), heads(n @ p["wk"]), heads(n @ p["wv"])
    score = q @ k.transpose(-1, -2) / math.sqrt(DIM // HEADS)
    score = score + torch.full((t, t), -1e9).triu(1)
    mixed = (torch.softmax(score, -1) @ v).transpose(1, 2).flatten(2)
    x = x + mixed @ p["wo"] + p["bo"]
    u = normalise(x, p, 2) @ p["w1"] + p["b1"]
    u = 0.5 * u * (1 + torch.erf(u / math.sqrt(2.0)))
    x = x + u @ p["w2"] + p["b2"]
    return normalise(x, p, 3) @ p["embed"].T


def nll(p, seq):
    logp = torch.log_softmax(lm(p, seq[:, :-1]), dim=-1)
    return -logp.gather(2, seq[:, 1:, None]).mean()


LR, MU = 0.1, 0.9
for epoch in range(18):
    order = torch.randperm(len(train), generator=gen)
    for ids in order.split(32):
        loss = nll(params, train[ids])
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for (name, value), g in zip(params.items(), grads):
                momentum[name].mul_(MU).add_(g)
                value -= LR * (g + MU * momentum[name])
    if epoch % 4 == 0 or epoch == 17:
        with torch.no_grad():
            print(f"epoch {epoch} train {nll(params, train):.4f} test {nll(params, test):.4f}")
