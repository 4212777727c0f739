"""Contrastive pairs (NT-Xent) on short waveforms."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def make_waves(n, rng):
    kind = rng.integers(0, 6, n)
    grid = np.linspace(0, 1, 32, endpoint=False)
    freq = np.array([1, 2, 3, 1, 2, 3])[kind][:, None]
    arg = 2 * np.pi * freq * (grid[None] + rng.uniform(0, 0.15, (n, 1)))
    wave = np.where(kind[:, None] < 3, np.sin(arg), np.sign(np.sin(arg)))
    wave = wave * rng.uniform(0.6, 1.4, (n, 1)) + 0.25 * rng.normal(size=(n, 32))
    return wave.astype(np.float32), kind


rng = np.random.default_rng(99)
x_train, k_train = make_waves(1500, rng)
x_test, k_test = make_waves(500, rng)
x_train, x_test = torch.from_numpy(x_train), torch.from_numpy(x_test)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(32, 64), nn.LayerNorm(64), nn.ReLU(),
            nn.Linear(64, 48), nn.LayerNorm(48), nn.ReLU(),
        )
        self.projector = nn.Linear(48, 16, bias=False)

    def forward(self, x):
        return self.projector(self.backbone(x))


def augment(x):
    noisy = x + 0.3 * torch.randn(x.shape)
    keep = (torch.rand(x.shape) >= 0.25).float()
    return noisy * keep


def nt_xent(z1, z2, temperature=0.2):
    n = z1.shape[0]
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    sim = z @ z.T / temperature
    sim.fill_diagonal_(float("-inf"))
    positives = torch.cat([torch.arange(n, 2 * n), torch.arange(0, n)])
    return F.cross_entropy(sim, positives)


model = Encoder()
opt = torch.optim.RMSprop(model.parameters(), lr=5e-4, alpha=0.95, eps=1e-6)


def train_step(x):
    loss = nt_xent(model(augment(x)), model(augment(x)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def knn_accuracy():
    model.eval()
    with torch.no_grad():
        a = F.normalize(model.backbone(x_train), dim=1)
        b = F.normalize(model.backbone(x_test), dim=1)
    model.train()
    near = (b @ a.T).topk(5, dim=1).indices.numpy()
    votes = np.array([np.bincount(row, minlength=6).argmax() for row in k_train[near]])
    return (votes == k_test).mean()


# ---- training
print(f"kNN accuracy at start {knn_accuracy():.3f}")
loader = torch.utils.data.DataLoader(x_train, batch_size=128, shuffle=True)
for epoch in range(30):
    values = [train_step(x) for x in loader]
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {np.mean(values):.4f} kNN {knn_accuracy():.3f}")
