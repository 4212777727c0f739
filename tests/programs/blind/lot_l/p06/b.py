import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH = 12, 50


def patients(n, rng, gain=1.0, offset=0.0, weights=None):
    z = rng.normal(size=(n, 20))
    score = np.stack([z @ w + 0.7 * np.sin(2 * z[:, k]) * z[:, k + 3] for k, w in enumerate(weights)], 1)
    label = score.argmax(1)
    return (gain * z + offset).astype("float32"), label.astype("int64")


rng = np.random.default_rng(2024)
W = rng.normal(size=(4, 20)) / 3.0
x_train, y_train = patients(1000, rng, weights=W)
x_val, y_val = patients(300, rng, gain=0.8, offset=0.6, weights=W)
x_test, y_test = patients(500, rng, weights=W)

torch.manual_seed(15)


class BatchNorm(nn.BatchNorm1d):
    """Running variance from the biased batch variance, as it is used for normalising."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            self.running_mean.lerp_(x.mean(0), self.momentum)
            self.running_var.lerp_(x.var(0, unbiased=False), self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def block(n_in, units):
    return [
        nn.Linear(n_in, units, bias=False),
        BatchNorm(units, eps=1e-5, momentum=0.1),
        nn.ReLU(),
        nn.Dropout(0.4),
    ]


model = nn.Sequential(*block(20, 64), *block(64, 48), nn.Linear(48, 4))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)


def loader(x, y, shuffle):
    return DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH, shuffle=shuffle)


train_dl = loader(x_train, y_train, shuffle=True)
val_dl = loader(x_val, y_val, shuffle=False)
test_dl = loader(x_test, y_test, shuffle=False)


@torch.no_grad()
def evaluate(dl):
    loss, hits, n = 0.0, 0, 0
    for xb, yb in dl:
        out = model(xb)
        loss += F.cross_entropy(out, yb, reduction="sum").item()
        hits += (out.argmax(1) == yb).sum().item()
        n += len(yb)
    return loss / n, hits / n


# training
opt = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
    val_loss, val_acc = evaluate(val_dl)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f} val_loss {val_loss:.4f} val_acc {val_acc:.4f}")
l, a = evaluate(test_dl)
print(f"test loss {l:.4f} acc {a:.4f}")
