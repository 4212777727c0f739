"""Next-token model with a hand-made gated cell and tied input/output embeddings.

Bare tensors: a dictionary of parameters, gradients by torch.autograd.grad, update rule written out.
"""
import numpy as np
import torch

VOCAB, LENGTH, DIM, BATCH, EPOCHS, LR = 12, 12, 32, 50, 12, 0.4
MOMENTUM, MAX_NORM = 0.9, 0.5


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


train, test = torch.from_numpy(make_data(1500, 1)), torch.from_numpy(make_data(400, 2))

gen = torch.Generator().manual_seed(17)


def glorot(n_in, n_out):
    limit = (6.0 / (n_in + n_out)) ** 0.5
    return (2 * torch.rand(n_in, n_out, generator=gen) - 1) * limit


def orthogonal(n):
    q, r = torch.linalg.qr(torch.randn(n, n, generator=gen))
    return q * torch.sign(torch.diagonal(r))


params = {
    "E": 0.2 * torch.randn(VOCAB, DIM, generator=gen),
    "Wf": glorot(DIM, DIM), "Uf": orthogonal(DIM), "bf": -torch.ones(DIM),
    "Wc": glorot(DIM, DIM), "Uc": orthogonal(DIM), "bc": torch.zeros(DIM),
    "bo": torch.zeros(VOCAB),
}
for p in params.values():
    p.requires_grad_(True)
velocity = {k: torch.zeros_like(p) for k, p in params.items()}


def loss_fn(P, seqs):
    one_hot = torch.eye(VOCAB)
    h = torch.zeros(len(seqs), DIM)
    total = 0.0
    for t in range(LENGTH):
        x = one_hot[seqs[:, t]] @ P["E"]
        f = torch.sigmoid(x @ P["Wf"] + h @ P["Uf"] + P["bf"])
        c = torch.tanh(x @ P["Wc"] + h @ P["Uc"] + P["bc"])
        h = h + f * (c - h)
        logp = torch.log_softmax(h @ P["E"].T + P["bo"], dim=1)
        total = total - (one_hot[seqs[:, t + 1]] * logp).sum(dim=1).mean()
    return total / LENGTH


def train_step(seqs):
    loss = loss_fn(params, seqs)
    grads = dict(zip(params, torch.autograd.grad(loss, list(params.values()))))
    with torch.no_grad():
        norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values()))
        scale = min(1.0, MAX_NORM / (norm.item() + 1e-6))
        for k, p in params.items():
            velocity[k] = MOMENTUM * velocity[k] - LR * scale * grads[k]
            p += velocity[k]
    return loss.item()


# ---- training
for epoch in range(EPOCHS):
    order = torch.randperm(len(train), generator=gen)
    losses = [train_step(train[idx]) for idx in order.split(BATCH)]
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
with torch.no_grad():
    print(f"test perplexity {torch.exp(loss_fn(params, test)).item():.4f}")
