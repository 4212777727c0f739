import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)
RATE, TAU, BATCH, EPOCHS = 0.3, 0.2, 64, 20

digits = load_digits()
order = np.random.default_rng(2).permutation(len(digits.data))
X = torch.from_numpy((digits.data[order] / 16.0).astype("float32"))
Y = torch.from_numpy(digits.target[order])
Xtr, Ytr, Xte, Yte = X[:640], Y[:640], X[640:1040], Y[640:1040]

torch.manual_seed(4)
encoder = nn.Sequential(nn.Dropout(RATE), nn.Linear(64, 64), nn.Tanh(), nn.Dropout(RATE), nn.Linear(64, 16))
for m in encoder.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
opt = torch.optim.Adam(encoder.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)


def info_nce(u, v):
    u, v = F.normalize(u, dim=-1), F.normalize(v, dim=-1)
    sim = torch.einsum("id,jd->ij", u, v) / TAU
    return F.cross_entropy(sim, torch.arange(len(sim)))


@torch.no_grad()
def knn_accuracy():
    encoder.eval()
    a, b = F.normalize(encoder(Xte), dim=-1), F.normalize(encoder(Xtr), dim=-1)
    return (Ytr[(a @ b.T).argmax(1)] == Yte).float().mean().item()


for epoch in range(EPOCHS):
    encoder.train()
    ls = []
    for idx in torch.randperm(len(Xtr)).split(BATCH):
        x = Xtr[idx]
        loss = info_nce(encoder(x), encoder(x))
        opt.zero_grad()
        loss.backward()
        opt.step()
        ls.append(loss.item())
    print(f"epoch {epoch:2d} loss {np.mean(ls):.4f} 1-nn {knn_accuracy():.3f}")
