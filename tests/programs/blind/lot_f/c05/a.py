"""Three-arm spiral, torch modules and torch.optim."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(123)


def spiral(n_per_arm, gen):
    xs, ys = [], []
    for arm in range(3):
        r = np.sqrt(gen.random(n_per_arm))
        phi = 4.0 * r + arm * 2 * np.pi / 3 + 0.15 * gen.normal(size=n_per_arm)
        xs.append(np.stack([r * np.cos(phi), r * np.sin(phi)], 1))
        ys.append(np.full(n_per_arm, arm))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys).astype(np.int64)


gen = np.random.default_rng(1)
x_train, y_train = map(torch.from_numpy, spiral(300, gen))
x_test, y_test = map(torch.from_numpy, spiral(150, gen))

model = nn.Sequential(
    nn.Linear(2, 64), nn.LayerNorm(64, eps=1e-5), nn.GELU(), nn.Dropout(0.1),
    nn.Linear(64, 64), nn.LayerNorm(64, eps=1e-5), nn.GELU(), nn.Dropout(0.1),
    nn.Linear(64, 3),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.3)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
criterion = nn.CrossEntropyLoss()

for epoch in range(24):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    scheduler.step()

model.eval()
with torch.no_grad():
    out = model(x_test)
    print("test loss %.4f acc %.4f" % (criterion(out, y_test), (out.argmax(1) == y_test).float().mean()))
