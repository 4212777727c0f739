"""Activity recognition from wearable sensors: attention and optimizer written out by hand on torch tensors."""
import math
import numpy as np
import torch
import torch.nn.functional as F

TOKENS, PATCH, WIDTH, HEADS, FF, CLASSES = 12, 15, 32, 4, 64, 4


def make_data(n=2400):
    rng = np.random.default_rng(606)
    y = rng.integers(0, CLASSES, n)
    t = np.arange(60) / 20.0
    freq = np.array([0.9, 1.3, 1.8, 2.4])[y] + 0.18 * rng.normal(size=n)
    amp = np.array([0.9, 1.0, 1.1, 1.0])[y] * rng.uniform(0.6, 1.3, n)
    ph = rng.uniform(0, 2 * np.pi, n)
    base = 2 * np.pi * freq[:, None] * t[None, :] + ph[:, None]
    axes = [amp[:, None] * np.sin(base), 0.7 * amp[:, None] * np.cos(base), 0.4 * np.sin(2 * base)]
    x = np.stack(axes, 2) + 0.6 * rng.normal(size=(n, 60, 3))
    x = x.reshape(n, TOKENS, PATCH).astype("float32")           # five samples of three axes per token
    return x[:1920], y[:1920], x[1920:], y[1920:]


def uniform(shape, bound):
    return (torch.rand(shape) * 2 - 1) * bound


def init_params():
    p = {
        "embed.w": uniform((PATCH, WIDTH), 1 / math.sqrt(PATCH)),
        "embed.b": uniform((WIDTH,), 1 / math.sqrt(PATCH)),
        "pos": 0.02 * torch.randn(TOKENS, WIDTH),
        "ln1": torch.ones(WIDTH),
        "qkv": uniform((WIDTH, 3 * WIDTH), math.sqrt(6 / (4 * WIDTH))),
        "proj": uniform((WIDTH, WIDTH), 1 / math.sqrt(WIDTH)),
        "ln2": torch.ones(WIDTH),
        "ff1": uniform((WIDTH, FF), 1 / math.sqrt(WIDTH)),
        "ff2": uniform((FF, WIDTH), 1 / math.sqrt(FF)),
        "head.w": uniform((WIDTH, CLASSES), 1 / math.sqrt(WIDTH)),
        "head.b": uniform((CLASSES,), 1 / math.sqrt(WIDTH)),
    }
    return {k: v.requires_grad_(True) for k, v in p.items()}


def layer_norm(x, gain):
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(var + 1e-5) * gain


def forward(p, x, train, drop=0.1):
    b = x.shape[0]
    h = x @ p["embed.w"] + p["embed.b"] + p["pos"]
    q, k, v = (layer_norm(h, p["ln1"]) @ p["qkv"]).split(WIDTH, dim=-1)
    q, k, v = (a.view(b, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2) for a in (q, k, v))
    att = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS), dim=-1)
    att = F.dropout(att, drop, train)
    o = (att @ v).transpose(1, 2).reshape(b, TOKENS, WIDTH) @ p["proj"]
    h = h + F.dropout(o, drop, train)
    f = F.dropout(F.gelu(layer_norm(h, p["ln2"]) @ p["ff1"]), drop, train) @ p["ff2"]
    h = h + F.dropout(f, drop, train)
    return h.mean(1) @ p["head.w"] + p["head.b"]


class Adam:
    """Adam with bias correction and decay taken directly from the weights."""

    def __init__(self, params, b1=0.9, b2=0.98, eps=1e-8, decay=0.05):
        self.params, self.b1, self.b2, self.eps, self.decay, self.t = params, b1, b2, eps, decay, 0
        self.m = [torch.zeros_like(q) for q in params]
        self.v = [torch.zeros_like(q) for q in params]

    @torch.no_grad()
    def step(self, grads, lr):
        self.t += 1
        c1, c2 = 1 - self.b1 ** self.t, 1 - self.b2 ** self.t
        for q, g, m, v in zip(self.params, grads, self.m, self.v):
            q.mul_(1 - lr * self.decay)
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            v.mul_(self.b2).add_(g * g, alpha=1 - self.b2)
            q.sub_(lr * (m / c1) / ((v / c2).sqrt() + self.eps))


def learning_rate(step, total, warmup=30, peak=2e-3):
    if step < warmup:
        return peak * (step + 1) / warmup
    return 0.5 * peak * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def main():
    torch.manual_seed(0)
    x, y, xt, yt = (torch.from_numpy(a) for a in make_data())
    p = init_params()
    params = list(p.values())
    opt = Adam(params)
    batches = math.ceil(len(x) / 64)
    total, step = 10 * batches, 0
    for epoch in range(10):
        perm = torch.randperm(len(x))
        running = 0.0
        for i in range(0, len(x), 64):
            j = perm[i:i + 64]
            loss = F.cross_entropy(forward(p, x[j], True), y[j])
            opt.step(torch.autograd.grad(loss, params), learning_rate(step, total))
            step += 1
            running += loss.item()
        print(f"epoch {epoch + 1} loss {running / batches:.4f}")
    with torch.no_grad():
        logits = forward(p, xt, False)
        print(f"test loss {F.cross_entropy(logits, yt).item():.4f} accuracy {(logits.argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
