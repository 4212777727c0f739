"""Sentiment-like toy task on padded token ids; attention, masking and loss written out in PyTorch."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(4)
torch.set_num_threads(1)

VOCAB, LENGTH, DIM, HEADS = 40, 12, 24, 3
HEAD_DIM = DIM // HEADS


def make_data(n, rng):
    score = np.random.default_rng(7).permutation(np.linspace(-1.5, 1.5, VOCAB))
    ids = rng.integers(1, VOCAB, size=(n, LENGTH))
    lengths = rng.integers(4, LENGTH + 1, size=n)
    inside = np.arange(LENGTH)[None, :] < lengths[:, None]
    ids = np.where(inside, ids, 0)
    weight = np.linspace(0.5, 1.5, LENGTH)[None, :] * inside
    total = (score[ids] * weight).sum(1)
    return ids.astype("int32"), (total > 0).astype("float32")[:, None]


rng = np.random.default_rng(2024)
x_train, y_train = (torch.from_numpy(a) for a in make_data(2000, rng))
x_test, y_test = (torch.from_numpy(a) for a in make_data(500, rng))
x_train, x_test = x_train.long(), x_test.long()


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(VOCAB, DIM) * 0.7)
        self.query, self.key, self.value = dense(DIM, DIM), dense(DIM, DIM), dense(DIM, DIM)
        self.merge = dense(DIM, DIM)
        self.hidden = dense(DIM, 16)
        self.out = dense(16, 1)
        k = torch.arange(0, DIM, 2, dtype=torch.float64)
        angle = torch.arange(LENGTH, dtype=torch.float64)[:, None] * 10000.0 ** (-k / DIM)
        self.register_buffer("pe", torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(LENGTH, DIM).float())

    def attend(self, h, valid):
        outs = []
        q, k, v = self.query(h), self.key(h), self.value(h)
        for j in range(HEADS):
            s = slice(j * HEAD_DIM, (j + 1) * HEAD_DIM)
            scores = q[..., s] @ k[..., s].transpose(1, 2) * HEAD_DIM ** -0.5
            scores = scores + (1.0 - valid[:, None, :]) * -1e9
            outs.append(nn.functional.softmax(scores) @ v[..., s])
        return self.merge(torch.cat(outs, dim=-1))

    def forward(self, ids):
        valid = (ids != 0).float()
        h = self.embed[ids] + self.pe
        h = h + self.attend(h, valid)
        pooled = (h * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
        return self.out(torch.tanh(self.hidden(pooled)))


def bce(logit, target):
    # max(z, 0) - z*y + log(1 + exp(-|z|))
    return (logit.clamp(min=0) - logit * target + torch.log1p(torch.exp(-logit.abs()))).mean()


net = Net()
LR, BATCH = 0.1, 50
losses = []
for epoch in range(14):
    order = torch.randperm(len(x_train))
    running = 0.0
    for s in range(0, len(order), BATCH):
        idx = order[s:s + BATCH]
        loss = bce(net(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for p, g in zip(net.parameters(), grads):
                p -= LR * g
        running += loss.item() * len(idx)
    losses.append(running / len(order))
print("train loss", " ".join(f"{v:.4f}" for v in losses))
with torch.no_grad():
    z = net(x_test)
    acc = ((z > 0).float() == y_test).float().mean().item()
    print(f"test loss {bce(z, y_test).item():.4f} accuracy {acc:.4f}")
