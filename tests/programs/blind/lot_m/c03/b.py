import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(90)
n, T = 1000, 16
X = rng.normal(size=(n, T, 3)).astype("float32")
y = np.tanh(0.6 * X[:, :, 0].sum(1) / 2 + X[:, -1, 1]) + 0.5 * X[:, -3, 2]
y = (y + 0.05 * rng.normal(size=n)).astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:800], y[:800], X[800:], y[800:]

EPOCHS, BATCH, LR, CLIP = 24, 40, 0.4, 1.0
STEPS = EPOCHS * (len(Xtr) // BATCH)
HIDDEN = 20


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[HIDDEN:2 * HIDDEN] = 1.0
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


torch.manual_seed(16)
model = Forecaster()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(params, lr=LR)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=0.0)
mse = nn.MSELoss()
xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr)

order_rng = np.random.default_rng(17)
for epoch in range(EPOCHS):
    order = torch.from_numpy(order_rng.permutation(len(Xtr)))
    losses = []
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        optimizer.zero_grad()
        loss = mse(model(xt[idx]), yt[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(params, CLIP)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    print(f"{epoch + 1:02d} {np.mean(losses):.5f}")
with torch.no_grad():
    print("test mse", mse(model(torch.from_numpy(Xte)), torch.from_numpy(yte)).item())
