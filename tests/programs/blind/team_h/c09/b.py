"""Two-tower retrieval written with bare tensors and autograd."""
import numpy as np
import torch

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


def init_params(gen):
    params = {}
    for side, words in (("q", Q_WORDS), ("d", D_WORDS)):
        for i, (n_in, n_out) in enumerate(((words, 64), (64, 24)), start=1):
            r = n_in ** -0.5
            params[f"{side}_w{i}"] = (torch.rand(n_in, n_out, generator=gen) * 2 - 1) * r
            params[f"{side}_b{i}"] = (torch.rand(n_out, generator=gen) * 2 - 1) * r
    for p in params.values():
        p.requires_grad_(True)
    return params


def tower(params, side, x):
    h = x @ params[side + "_w1"] + params[side + "_b1"]
    h = torch.where(h > 0, h, torch.expm1(h.clamp(max=0.0)))
    z = h @ params[side + "_w2"] + params[side + "_b2"]
    return z / z.norm(dim=1, keepdim=True).clamp_min(1e-12)


def similarity(params, q, d):
    return tower(params, "q", q) @ tower(params, "d", d).t() / TEMPERATURE


def info_nce(sim):
    hit = sim.diagonal()
    by_query = (torch.logsumexp(sim, dim=1) - hit).mean()
    by_item = (torch.logsumexp(sim, dim=0) - hit).mean()
    return (by_query + by_item) / 2


def rmsprop_step(params, grads, state, lr=2e-3, rho=0.95, eps=1e-4):
    with torch.no_grad():
        for (name, p), g in zip(params.items(), grads):
            v = state.setdefault(name, torch.zeros_like(p))
            v.mul_(rho).add_((1 - rho) * g * g)
            p.sub_(lr * g / (v.sqrt() + eps))


def main():
    gen = torch.Generator().manual_seed(987)
    q, d, tq, td = (torch.from_numpy(a) for a in make_data())
    params, state = init_params(gen), {}
    print("weights", sum(p.numel() for p in params.values()))
    for epoch in range(EPOCHS):
        order = torch.randperm(N_TRAIN, generator=gen)
        losses = []
        for start in range(0, N_TRAIN, BATCH):
            pick = order[start:start + BATCH]
            loss = info_nce(similarity(params, q[pick], d[pick]))
            grads = torch.autograd.grad(loss, list(params.values()))
            rmsprop_step(params, grads, state)
            losses.append(loss.item())
        with torch.no_grad():
            sim = similarity(params, tq, td)
            rank = (sim > sim.diagonal()[:, None]).sum(1)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} test {info_nce(sim).item():.4f} "
              f"recall@10 {(rank < 10).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
