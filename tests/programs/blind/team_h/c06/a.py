"""Sequence tagging with a bidirectional LSTM, PyTorch (packed sequences)."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCAB, TAGS, MAXLEN = 20, 4, 12
N_TRAIN, N_TEST, BATCH, EPOCHS = 2400, 600, 60, 5


def make_data():
    """Tag 3: between an opening (0) and a closing token (1); tag 1: the next token is 2, 3 or 4;
    tag 2: the previous token is 5, 6 or 7; tag 0: else.  Padded at the end."""
    rng = np.random.RandomState(61)
    n = N_TRAIN + N_TEST
    length = rng.randint(5, MAXLEN + 1, size=n)
    tok = rng.randint(0, VOCAB, size=(n, MAXLEN))
    x = np.zeros((n, MAXLEN, VOCAB), dtype="float32")
    tag = np.zeros((n, MAXLEN), dtype="int64")
    for i in range(n):
        s = tok[i, :length[i]]
        x[i, np.arange(len(s)), s] = 1.0
        for t in range(len(s)):
            if 0 in s[:t] and 1 in s[t + 1:]:
                tag[i, t] = 3
            elif t + 1 < len(s) and s[t + 1] in (2, 3, 4):
                tag[i, t] = 1
            elif t > 0 and s[t - 1] in (5, 6, 7):
                tag[i, t] = 2
    a, b = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (x[a], tag[a], length[a]), (x[b], tag[b], length[b])


class Tagger(nn.Module):
    def __init__(self, width=16, units=20):
        super().__init__()
        self.embed = nn.Linear(VOCAB, width, bias=False)
        self.lstm = nn.LSTM(width, units, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * units, TAGS)
        nn.init.xavier_uniform_(self.embed.weight)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        for name, p in self.lstm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(p)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
                if name.startswith("bias_ih"):
                    with torch.no_grad():
                        p[units:2 * units] = 1.0      # forget gate
                else:
                    p.requires_grad_(False)           # one bias per gate is enough

    def forward(self, x, length):
        e = self.embed(x)
        packed = pack_padded_sequence(e, length, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=MAXLEN)
        return self.head(h)


def token_loss(logits, tag, length):
    real = torch.arange(MAXLEN)[None, :] < length[:, None]
    target = tag.masked_fill(~real, -100)
    return nn.functional.cross_entropy(logits.reshape(-1, TAGS), target.reshape(-1),
                                       ignore_index=-100, reduction="mean")


def make_optimizer(model):
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                            lr=5e-3, betas=(0.9, 0.99), eps=1e-12)


def main():
    torch.manual_seed(21)
    train, test = make_data()
    x, tag, length = (torch.from_numpy(a) for a in train)
    model = Tagger()
    opt = make_optimizer(model)
    print("trainable", sum(p.numel() for p in model.parameters() if p.requires_grad))
    gen = torch.Generator().manual_seed(21)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for idx in torch.randperm(N_TRAIN, generator=gen).split(BATCH):
            loss = token_loss(model(x[idx], length[idx]), tag[idx], length[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        model.eval()
        tx, tt, tl = (torch.from_numpy(a) for a in test)
        with torch.no_grad():
            logits = model(tx, tl)
        real = (torch.arange(MAXLEN)[None, :] < tl[:, None])
        acc = (logits.argmax(-1) == tt)[real].float().mean().item()
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f} "
              f"test {token_loss(logits, tt, tl).item():.4f} token accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
