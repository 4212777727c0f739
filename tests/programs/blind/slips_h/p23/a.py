"""Customer survival: Cox partial likelihood on mini-batches with a small network, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


N_FEAT = 12


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.randn(n, N_FEAT)
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * np.tanh(2 * x[:, 2]) * x[:, 3] + 0.5 * (x[:, 4] > 0)
    t = rng.exponential(np.exp(-risk))
    c = rng.exponential(1.5, n)
    time = np.minimum(t, c)
    event = (t <= c).astype("float32")
    return x.astype("float32"), time.astype("float32"), event


def concordance(time, event, risk):
    num = den = 0.0
    for i in np.flatnonzero(event):
        later = time > time[i]
        num += (risk[i] > risk[later]).sum()
        den += later.sum()
    return num / den


x_tr, t_tr, e_tr = make_data(1280, 30)
x_te, t_te, e_te = make_data(500, 31)
BATCH, EPOCHS = 64, 12
LR, DECAY = 2e-3, 0.05

torch.manual_seed(100)

net = nn.Sequential(
    nn.Linear(N_FEAT, 32),
    nn.ELU(alpha=1.0),
    nn.Dropout(p=0.1),
    nn.Linear(32, 16),
    nn.ELU(alpha=1.0),
    nn.Linear(16, 1, bias=False),
)
for m in net.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)


def cox_loss(risk, time, event):
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    log_at_risk = torch.logcumsumexp(risk, dim=0)
    return -((risk - log_at_risk) * event).sum() / event.sum()


kernels = [p for n, p in net.named_parameters() if n.endswith("weight")]
biases = [p for n, p in net.named_parameters() if n.endswith("bias")]
opt = torch.optim.Adam(
    [{"params": kernels, "weight_decay": DECAY}, {"params": biases, "weight_decay": 0.0}],
    lr=LR, betas=(0.9, 0.999), eps=1e-12,
)
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_tr), torch.from_numpy(t_tr), torch.from_numpy(e_tr)),
    batch_size=BATCH, shuffle=True,
)

# training
for epoch in range(EPOCHS):
    net.train()
    run = 0.0
    for x, t, e in loader:
        loss = cox_loss(net(x).squeeze(1), t, e)
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * len(x)
    print(f"epoch {epoch + 1}: loss {run / len(x_tr):.4f}")

net.eval()
with torch.no_grad():
    risk = net(torch.from_numpy(x_te)).squeeze(1)
    test_loss = cox_loss(risk, torch.from_numpy(t_te), torch.from_numpy(e_te)).item()
print(f"test partial likelihood {test_loss:.4f}  c-index {concordance(t_te, e_te, risk.numpy()):.4f}")
