"""Uplift with two outcome heads and a propensity head on a shared trunk (functional version)."""
import math

import numpy as np
import torch
import torch.nn.functional as F


N_FEAT = 15
LR, BETAS, DECAY = 3e-3, (0.9, 0.999), 1e-4
BATCH, EPOCHS = 64, 12


def make_data(n, seed):
    """Coupon campaign: spending with and without the coupon; targeting depends on the customer."""
    rng = np.random.RandomState(seed)
    x = rng.randn(n, N_FEAT)
    base = 0.8 * x[:, 0] + np.sin(x[:, 1]) + 0.3 * x[:, 2] ** 2
    effect = 0.6 + 0.9 * (x[:, 3] > 0) - 0.7 * x[:, 4]
    p = 1 / (1 + np.exp(-(0.7 * x[:, 0] - 0.5 * x[:, 5])))
    t = (rng.rand(n) < p).astype("float32")
    y = base + t * effect + 0.3 * rng.randn(n)
    return x.astype("float32"), t, y.astype("float32"), effect.astype("float32")


x_tr, t_tr, y_tr, tau_tr = make_data(1500, 50)
x_te, t_te, y_te, tau_te = make_data(800, 51)

gen = torch.Generator().manual_seed(2024)
torch.manual_seed(2024)


def uniform(shape, fan_in):
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound, generator=gen).requires_grad_()


P = {}
P["w_in"] = uniform((48, N_FEAT), N_FEAT)
P["bn_w"] = torch.ones(48, requires_grad=True)
P["bn_b"] = torch.zeros(48, requires_grad=True)
for name, n_out, n_in in [("shared", 24, 48), ("c1", 12, 24), ("c2", 1, 12),
                          ("t1", 12, 24), ("t2", 1, 12), ("prop", 1, 24)]:
    P[name + "_w"] = uniform((n_out, n_in), n_in)
    P[name + "_b"] = uniform((n_out,), n_in)
bn_mean, bn_var = torch.zeros(48), torch.ones(48)


def forward(x, train):
    h = F.linear(x, P["w_in"])
    h = F.batch_norm(h, bn_mean, bn_var, P["bn_w"], P["bn_b"], training=train, momentum=0.1, eps=1e-5)
    h = F.dropout(torch.relu(h), 0.1, training=train)
    h = torch.relu(F.linear(h, P["shared_w"], P["shared_b"]))
    y0 = F.linear(torch.relu(F.linear(h, P["c1_w"], P["c1_b"])), P["c2_w"], P["c2_b"])[:, 0]
    y1 = F.linear(torch.relu(F.linear(h, P["t1_w"], P["t1_b"])), P["t2_w"], P["t2_b"])[:, 0]
    return y0, y1, F.linear(h, P["prop_w"], P["prop_b"])[:, 0]


params = list(P.values())
m1 = [torch.zeros_like(p) for p in params]
m2 = [torch.zeros_like(p) for p in params]


@torch.no_grad()
def adam_l2(grads, step, lr):
    """Adam with the L2 term added to the gradient."""
    b1, b2 = BETAS
    for p, g, m, v in zip(params, grads, m1, m2):
        g = g + DECAY * p
        m.mul_(b1).add_(g, alpha=1 - b1)
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        denom = v.sqrt() / math.sqrt(1 - b2 ** step) + 1e-8
        p.sub_(lr / (1 - b1 ** step) * m / denom)


X, T, Y = (torch.from_numpy(v) for v in (x_tr, t_tr, y_tr))

# training
step = 0
for epoch in range(EPOCHS):
    lr = LR * 0.5 ** (epoch // 4)
    run = 0.0
    for idx in torch.randperm(len(X), generator=gen).split(BATCH):
        step += 1
        y0, y1, logit = forward(X[idx], True)
        t = T[idx]
        factual = t * y1 + (1 - t) * y0
        loss = F.mse_loss(factual, Y[idx]) + 0.2 * F.binary_cross_entropy_with_logits(logit, t)
        adam_l2(torch.autograd.grad(loss, params), step, lr)
        run += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {run / len(X):.4f}")

with torch.no_grad():
    y0, y1, _ = forward(torch.from_numpy(x_te), False)
uplift = (y1 - y0).numpy()
fact = np.where(t_te > 0.5, y1.numpy(), y0.numpy())
print(f"test factual mse {((fact - y_te) ** 2).mean():.4f}  pehe {np.sqrt(((uplift - tau_te) ** 2).mean()):.4f}")
