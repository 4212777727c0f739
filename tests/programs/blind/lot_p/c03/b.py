import numpy as np
import torch
from torch import nn

torch.manual_seed(40)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(25)
    freq = rng.uniform(0.15, 0.6, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    clean = np.sin(freq * t + phase)
    noisy = clean + 0.05 * rng.normal(size=clean.shape)
    return noisy[:, :24, None].astype("float32"), clean[:, 24:].astype("float32")


x_train, y_train = (torch.from_numpy(v) for v in make_data(900, 0))
x_test, y_test = (torch.from_numpy(v) for v in make_data(300, 1))

EPOCHS, BATCH, H = 15, 50, 20
steps = EPOCHS * len(x_train) // BATCH


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, H, batch_first=True)
        self.out = nn.Linear(H, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[H:2 * H] = 1.0
        self.lstm.bias_hh_l0.requires_grad_(False)  # a single bias per gate
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        seq, _ = self.lstm(x)
        return self.out(seq[:, -1])


model = Forecaster()
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.AdamW(params, lr=0.01, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.01)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps, eta_min=0.0)
mse = nn.MSELoss()

# train
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x_train))
    for i in range(0, len(perm), BATCH):
        j = perm[i:i + BATCH]
        loss = mse(model(x_train[j]), y_train[j])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        sched.step()

with torch.no_grad():
    print("train mse", mse(model(x_train), y_train).item())
    print("test mse", mse(model(x_test), y_test).item())
