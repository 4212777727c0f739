import math
import numpy as np
import torch

gen = torch.Generator().manual_seed(77)

rng = np.random.default_rng(42)
centers = rng.normal(0, 1.6, (4, 2, 10))
labels = rng.integers(0, 4, 1200)
which = rng.integers(0, 2, 1200)
feats = (centers[labels, which] + rng.normal(0, 1.3, (1200, 10))).astype(np.float32)
x, y = torch.from_numpy(feats), torch.from_numpy(labels)


def uniform(shape, fan_in):
    b = 1.0 / math.sqrt(fan_in)
    return ((torch.rand(shape, generator=gen) * 2 - 1) * b).requires_grad_(True)


params = []
for n_in, n_out in [(10, 48), (48, 24), (24, 4)]:
    params += [uniform((n_in, n_out), n_in), uniform((n_out,), n_in)]


def gelu(z):
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


def forward(inp):
    w1, b1, w2, b2, w3, b3 = params
    h = gelu(inp @ w1 + b1)
    h = gelu(h @ w2 + b2)
    return h @ w3 + b3


def nll(logits, target):
    logp = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -logp[torch.arange(len(target)), target].mean()


beta1, beta2, eps, decay = 0.9, 0.999, 1e-8, 0.05
m = [torch.zeros_like(p) for p in params]
v = [torch.zeros_like(p) for p in params]
t = 0
for epoch in range(18):
    lr = 4e-3 * 0.3 ** (epoch // 6)
    perm = torch.randperm(960, generator=gen)
    for start in range(0, 960, 48):
        idx = perm[start:start + 48]
        grads = torch.autograd.grad(nll(forward(x[idx]), y[idx]), params)
        t += 1
        with torch.no_grad():
            for p, g, mi, vi in zip(params, grads, m, v):
                p.mul_(1 - lr * decay)
                mi.mul_(beta1).add_(g, alpha=1 - beta1)
                vi.mul_(beta2).addcmul_(g, g, value=1 - beta2)
                m_hat = mi / (1 - beta1 ** t)
                v_hat = vi / (1 - beta2 ** t)
                p.sub_(lr * m_hat / (v_hat.sqrt() + eps))

with torch.no_grad():
    logits = forward(x[960:])
    print(f"loss {nll(logits, y[960:]).item():.4f} "
          f"acc {(logits.argmax(1) == y[960:]).float().mean().item():.4f}")
