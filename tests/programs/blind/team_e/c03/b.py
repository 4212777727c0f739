"""Autoencoder on sensor readings, PyTorch; large reconstruction error means anomaly."""
import numpy as np
import torch
from sklearn.metrics import roc_auc_score

N_TRAIN, BATCH, EPOCHS = 1200, 50, 22
HIDDEN = (20, 5, 20)
LR, MOMENTUM, ALPHA = 0.02, 0.9, 1e-3


def make_machines(seed=77):
    """Twelve sensor readings driven by four hidden states; the anomalies break the relations."""
    r = np.random.RandomState(seed)
    mix = r.normal(size=(4, 12))
    bend = r.normal(size=(4, 12))

    def healthy(n):
        s = r.normal(size=(n, 4))
        return np.tanh(s @ mix * 0.6) + 0.4 * np.sin(s @ bend) + 0.05 * r.normal(size=(n, 12))

    train, good, bad = healthy(N_TRAIN), healthy(300), healthy(300)
    for row in bad:
        k = r.choice(12, 3, replace=False)
        row[k] = row[r.permutation(k)] + r.normal(0, 0.7, 3)
    m, s = train.mean(0), train.std(0)
    return [((v - m) / s).astype(np.float32) for v in (train, good, bad)]


train, good, bad = make_machines()

torch.manual_seed(8)

sizes = [12, *HIDDEN, 12]
layers = []
for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:])):
    lin = torch.nn.Linear(n_in, n_out)
    bound = (6.0 / (n_in + n_out)) ** 0.5
    torch.nn.init.uniform_(lin.weight, -bound, bound)
    torch.nn.init.uniform_(lin.bias, -bound, bound)
    layers.append(lin)
    if i < len(sizes) - 2:
        layers.append(torch.nn.Tanh())
ae = torch.nn.Sequential(*layers)
kernels = [l.weight for l in ae if isinstance(l, torch.nn.Linear)]

optimizer = torch.optim.SGD(ae.parameters(), lr=LR, momentum=MOMENTUM, dampening=0, nesterov=True)
X = torch.from_numpy(train)

for epoch in range(EPOCHS):
    order = torch.randperm(N_TRAIN)
    shown = 0.0
    for start in range(0, N_TRAIN, BATCH):
        x = X[order[start:start + BATCH]]
        diff = ae(x) - x
        # half the squared error, summed over the sensors, averaged over the rows
        loss = 0.5 * diff.pow(2).sum(dim=1).mean()
        l2 = 0.5 * ALPHA / len(x) * sum(w.pow(2).sum() for w in kernels)
        optimizer.zero_grad()
        (loss + l2).backward()
        optimizer.step()
        shown += (0.5 * diff.detach().pow(2).mean() + l2.detach()).item() * len(x)
    if epoch % 3 == 0:
        print("epoch", epoch + 1, "loss", round(shown / N_TRAIN, 4))


@torch.no_grad()
def score(x):
    x = torch.from_numpy(x)
    return (ae(x) - x).pow(2).mean(1).numpy()


g, b = score(good), score(bad)
y = np.r_[np.zeros(len(g)), np.ones(len(b))]
print(f"train mse {score(train).mean():.4f}  healthy {g.mean():.4f}  broken {b.mean():.4f}"
      f"  auc {roc_auc_score(y, np.r_[g, b]):.4f}")
