import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

digits = load_digits()
perm = np.random.RandomState(42).permutation(1797)
X = (digits.images[perm, None] / 16.0).astype("float32")
Y = digits.target[perm]
X_train, Y_train, X_test, Y_test = (torch.from_numpy(X[:1437]), torch.from_numpy(Y[:1437]),
                                    torch.from_numpy(X[1437:]), torch.from_numpy(Y[1437:]))

gen = torch.Generator().manual_seed(31)


def he(*shape):
    fan_in = int(np.prod(shape[1:]))
    return (torch.randn(*shape, generator=gen) * (2.0 / fan_in) ** 0.5).requires_grad_()


params = {
    "k1": he(8, 1, 3, 3),
    "g1": torch.ones(8, requires_grad=True), "b1": torch.zeros(8, requires_grad=True),
    "k2": he(16, 8, 3, 3),
    "g2": torch.ones(16, requires_grad=True), "b2": torch.zeros(16, requires_grad=True),
    "w": he(10, 64), "c": torch.zeros(10, requires_grad=True),
}
stats = {"m1": torch.zeros(8), "v1": torch.ones(8), "m2": torch.zeros(16), "v2": torch.ones(16)}
velocity = {k: torch.zeros_like(v) for k, v in params.items()}


def forward(x, training):
    p = params
    x = F.conv2d(x, p["k1"], padding=1)
    x = F.relu(F.batch_norm(x, stats["m1"], stats["v1"], p["g1"], p["b1"], training, 0.1, 1e-5))
    x = F.conv2d(x, p["k2"], stride=2, padding=1)
    x = F.relu(F.batch_norm(x, stats["m2"], stats["v2"], p["g2"], p["b2"], training, 0.1, 1e-5))
    x = F.avg_pool2d(x, 2)
    return F.linear(x.flatten(1), p["w"], p["c"])


mu, decay = 0.9, 5e-4
for epoch in range(11):
    lr = 0.05 if epoch < 6 else 0.01 if epoch < 9 else 0.002
    perm_e = torch.randperm(len(X_train), generator=gen)
    total = 0.0
    for idx in perm_e.split(64):
        logp = F.log_softmax(forward(X_train[idx], True), dim=0)
        loss = F.nll_loss(logp, Y_train[idx])
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for (name, p), g in zip(params.items(), grads):
                g = g + decay * p
                velocity[name].mul_(mu).add_(g)
                p.sub_(lr * (g + mu * velocity[name]))
        total += loss.item() * len(idx)
    print(f"{epoch}: {total / len(X_train):.4f}")

with torch.no_grad():
    print("accuracy", (forward(X_test, False).argmax(1) == Y_test).double().mean().item())
