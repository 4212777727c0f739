"""Deep survival model with the Cox partial likelihood, PyTorch."""
import numpy as np
import torch
from torch import nn


def cohort(n=2560 + 600):
    rng = np.random.default_rng(31337)
    x = rng.normal(size=(n, 12)).astype("float32")
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.6 * np.maximum(x[:, 2], 0) + 0.5 * x[:, 3] * x[:, 4]
    death = rng.exponential(1.0, n) * np.exp(-risk)
    censor = rng.exponential(2.0, n)
    time = np.minimum(death, censor).astype("float32")
    event = (death <= censor).astype("float32")
    return x, time, event


def concordance(risk, time, event):
    ok = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    return float(((risk[:, None] > risk[None, :]) & ok).sum() / ok.sum())


class CoxNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(12, 32), nn.SELU(), nn.Dropout(0.2),
            nn.Linear(32, 16), nn.SELU(),
            nn.Linear(16, 1, bias=False),
        )
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.xavier_uniform_(p)

    def forward(self, x):
        return self.body(x).squeeze(1)


def partial_likelihood(risk, time, event):
    """Sort by falling time: the risk set of a subject is then everyone before it."""
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    log_sum = torch.logcumsumexp(risk, dim=0)
    return ((log_sum - risk) * event).sum() / event.sum().clamp(min=1.0)


if __name__ == "__main__":
    torch.manual_seed(7)
    x, time, event = cohort()
    n = 2560
    X, T, E = (torch.from_numpy(v) for v in (x, time, event))
    data = torch.utils.data.TensorDataset(X[:n], T[:n], E[:n])
    loader = torch.utils.data.DataLoader(data, batch_size=128, shuffle=True)
    net = CoxNet()
    # momentum_decay=1.0: the momentum schedule of the original Nadam implementation in Keras
    opt = torch.optim.NAdam(net.parameters(), betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=1.0)
    for epoch in range(15):
        net.train()
        seen = []
        for xb, tb, eb in loader:
            opt.zero_grad()
            loss = partial_likelihood(net(xb), tb, eb)
            loss.backward()
            opt.step()
            seen.append(loss.item())
        print("epoch %d loss %.4f" % (epoch + 1, sum(seen) / len(seen)))
    net.eval()
    with torch.no_grad():
        r = net(X[n:])
        loss = partial_likelihood(r, T[n:], E[n:]).item()
    print("test partial likelihood %.4f, concordance %.4f" % (loss, concordance(r.numpy(), time[n:], event[n:])))
