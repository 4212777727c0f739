"""Retrieval: two towers on bags of words, in-batch negatives (plain tensors, update rule by hand)."""
import numpy as np
import torch

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


def make_params():
    params = []
    for vocab in (V_QUERY, V_ITEM):
        for fan_in, fan_out in ((vocab, HID), (HID, DIM)):
            bound = fan_in ** -0.5
            params.append(torch.empty(fan_in, fan_out).uniform_(-bound, bound).requires_grad_())
            params.append(torch.empty(fan_out).uniform_(-bound, bound).requires_grad_())
    return params


def tower(x, w1, b1, w2, b2):
    h = torch.tanh(x @ w1 + b1) @ w2 + b2
    return h / h.pow(2).sum(dim=1, keepdim=True).sqrt().clamp(min=1e-12)


def similarity(params, q, d):
    return tower(q, *params[:4]) @ tower(d, *params[4:]).T


def contrastive(params, q, d):
    logits = similarity(params, q, d) / TEMP
    hit = logits.diagonal()
    to_item = torch.logsumexp(logits, dim=1) - hit
    to_query = torch.logsumexp(logits, dim=0) - hit
    return (to_item.mean() + to_query.mean()) / 2


def train_step(params, square, q, d):
    loss = contrastive(params, q, d)
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g, s in zip(params, grads, square):
            s.mul_(0.95).add_(g * g, alpha=1 - 0.95)
            p.sub_(LR * g / (s.sqrt() + 1e-8))
    return loss.item()


def main():
    torch.manual_seed(1234)
    q, d, q_te, d_te = make_data()
    tq, td = torch.from_numpy(q), torch.from_numpy(d)
    params = make_params()
    square = [torch.zeros_like(p) for p in params]
    for epoch in range(EPOCHS):
        perm = torch.randperm(N_TRAIN)
        losses = []
        for i in range(N_TRAIN // BATCH):  # only full batches
            idx = perm[i * BATCH:(i + 1) * BATCH]
            losses.append(train_step(params, square, tq[idx], td[idx]))
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        sim = similarity(params, torch.from_numpy(q_te), torch.from_numpy(d_te)).numpy()
    print(f"recall@1 {recall(sim, 1):.3f} recall@10 {recall(sim, 10):.3f}")


if __name__ == "__main__":
    main()
