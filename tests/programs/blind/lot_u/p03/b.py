import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
D, K, TEMP, HARD = 10, 5, 2.0, 0.3


def make_data(n=1200, seed=21):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, D))
    w1, w2 = rng.standard_normal((D, 40)) / np.sqrt(D), rng.standard_normal((40, K)) / np.sqrt(40)
    z = 4.0 * np.tanh(x @ w1 * 1.5) @ w2            # frozen teacher
    y = (z + 0.5 * rng.standard_normal(z.shape)).argmax(1)
    return x.astype("float32"), z.astype("float32"), y.astype("int64")


x, z, y = map(torch.from_numpy, make_data())
xt, zt, yt, xv, zv, yv = x[:800], z[:800], y[:800], x[800:], z[800:], y[800:]
torch.manual_seed(77)

student = nn.Sequential(nn.Linear(D, 32), nn.Tanh(), nn.Linear(32, K))
for m in student:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
opt = torch.optim.SGD(student.parameters(), lr=0.02, momentum=0.9, weight_decay=0.01)


def kd_loss(s, t, labels):
    kl = F.kl_div(F.log_softmax(s / TEMP, -1), F.softmax(t / TEMP, -1), reduction="batchmean")
    return TEMP ** 2 * kl + HARD * F.cross_entropy(s, labels)


for epoch in range(20):
    student.train()
    ls = []
    for j in torch.randperm(len(xt)).split(40):
        loss = kd_loss(student(xt[j]), zt[j], yt[j])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        ls.append(loss.item())
    student.eval()
    with torch.no_grad():
        s = student(xv)
        acc = (s.argmax(1) == yv).float().mean().item()
        print(f"{epoch:2d} train {np.mean(ls):.4f} valid {kd_loss(s, zv, yv).item():.4f} acc {acc:.3f}")
