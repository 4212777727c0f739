import numpy as np
import torch
from torch import nn

T, F, H = 16, 3, 20
BATCH = 40
EPOCHS = 15
N = 800


def make_data():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(N + 200, T, F)).astype("float32")
    decay = 0.85 ** np.arange(T)[::-1]
    s = (x[:, :, 0] * decay).sum(1) + 0.7 * np.tanh(x[:, -4:, 1].sum(1)) * x[:, -1, 2]
    y = (s / s.std()).astype("float32")
    return x[:N], y[:N], x[N:], y[N:]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(F, H, batch_first=True)
        self.head = nn.Linear(H, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[H:2 * H] = 1.0
        # one trained bias vector per gate
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1]).squeeze(-1)


def make_optimizer(model):
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=0.01, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.02)
    steps = EPOCHS * (N // BATCH)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps, eta_min=0.0)
    return optimizer, scheduler, params


def step(model, optimizer, scheduler, params, xb, yb):
    loss = ((model(xb) - yb) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    optimizer.step()
    scheduler.step()
    return loss.item()


def main():
    torch.manual_seed(0)
    xtr, ytr, xte, yte = map(torch.from_numpy, make_data())
    model = Model()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        perm = torch.randperm(N)
        losses = []
        for i in range(0, N, BATCH):
            idx = perm[i:i + BATCH]
            losses.append(step(model, *opt, xtr[idx], ytr[idx]))
        print("epoch", epoch + 1, "mse", round(float(np.mean(losses)), 4))
    with torch.no_grad():
        print("test mse", round(((model(xte) - yte) ** 2).mean().item(), 4))


if __name__ == "__main__":
    main()
