"""Autoencoder on digits: torch AdamW, cosine schedule, clip_grad_norm_."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS, LR, WD, CLIP = 64, 16, 4e-3, 0.05, 0.02

data = load_digits().data
data = data[np.random.default_rng(9).permutation(len(data))]
data = (data / 16.0).astype(np.float32)
train, test = torch.from_numpy(data[:1500]), torch.from_numpy(data[1500:])

torch.manual_seed(400)
model = nn.Sequential(
    nn.Linear(64, 48),
    nn.GELU(),
    nn.Linear(48, 10),
    nn.Linear(10, 48),
    nn.GELU(),
    nn.Linear(48, 64),
    nn.Sigmoid(),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

kernels = [p for n, p in model.named_parameters() if n.endswith("weight")]
biases = [p for n, p in model.named_parameters() if n.endswith("bias")]
optimizer = torch.optim.AdamW(
    [{"params": kernels, "weight_decay": WD}, {"params": biases, "weight_decay": 0.0}],
    lr=LR,
    betas=(0.9, 0.999),
    eps=1e-8,
)
loader = DataLoader(TensorDataset(train), batch_size=BATCH, shuffle=True, drop_last=False)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(loader), eta_min=0.0)
mse = nn.MSELoss()


def train_step(xb):
    optimizer.zero_grad()
    loss = mse(model(xb), xb)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=CLIP)
    optimizer.step()
    scheduler.step()
    return loss.item()


# training
for epoch in range(EPOCHS):
    total = 0.0
    for (xb,) in loader:
        total += train_step(xb) * len(xb)
    print(f"epoch {epoch + 1} mse {total / len(train):.5f}")

model.eval()
with torch.no_grad():
    print("test mse", mse(model(test), test).item())
