"""Tagging address fields: bidirectional GRU over token features, padded batches (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, F, K, HIDDEN = 14, 10, 5, 16
BATCH, EPOCHS = 50, 8


def make_data(n=2000, n_test=400):
    rng = np.random.default_rng(123)
    trans = rng.dirichlet(np.full(K, 0.4), K)
    centre = rng.normal(size=(K, F)) * 0.7
    m = n + n_test
    length = rng.integers(5, T + 1, m)
    x = np.zeros((m, T, F), "float32")
    y = np.zeros((m, T), "int64")
    for i in range(m):
        s = rng.integers(K)
        for t in range(length[i]):
            y[i, t] = s
            x[i, t] = centre[s] + rng.normal(size=F)
            s = rng.choice(K, p=trans[s])
    return (x[:n], y[:n], length[:n]), (x[n:], y[n:], length[n:])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(F, HIDDEN, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * HIDDEN, K)
        for name, p in self.gru.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(p)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, length):
        packed = pack_padded_sequence(x, length, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=T)
        return self.out(h)


def main():
    torch.manual_seed(1)
    train, test = make_data()
    for part in (train, test):
        part[1][np.arange(T)[None, :] >= part[2][:, None]] = -100
    x, y, length = map(torch.from_numpy, train)
    model = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    optimizer = torch.optim.Adamax(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    for epoch in range(EPOCHS):
        losses = []
        for idx in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            logits = model(x[idx], length[idx])
            loss = criterion(logits.reshape(-1, K), y[idx].reshape(-1))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))
    xt, yt, lt = map(torch.from_numpy, test)
    model.eval()
    with torch.no_grad():
        logits = model(xt, lt)
        valid = yt >= 0
        print("test loss %.4f token accuracy %.4f" % (
            criterion(logits.reshape(-1, K), yt.reshape(-1)).item(),
            (logits.argmax(-1) == yt)[valid].float().mean().item()))


if __name__ == "__main__":
    main()
