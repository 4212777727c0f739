"""Tagging of token sequences of unequal length with a bidirectional LSTM: PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


VOCAB, TAGS, T_MAX, EMB, HID = 40, 4, 14, 12, 16
BATCH, EPOCHS, CLIP = 40, 10, 1.0


def learning_rate(step):
    return 1.5 / (1.0 + 0.005 * step)


def make_data(n, seed):
    """Token 0 is padding.  A tag depends on the word's class and on its neighbours."""
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T_MAX), dtype="int64")
    y = np.zeros((n, T_MAX), dtype="int64")
    length = rng.randint(5, T_MAX + 1, n)
    for i, m in enumerate(length):
        w = rng.randint(1, VOCAB, m)
        c = w % 3
        before = np.r_[0, c[:-1]]
        after = np.r_[c[1:], 0]
        y[i, :m] = np.where(c == 0, 0, np.where(c == 1, 1 + (before == 2), 1 + 2 * (after == 0)))
        x[i, :m] = w
    return x, y, length.astype("int64")


x_tr, y_tr, len_tr = make_data(1200, 60)
x_te, y_te, len_te = make_data(400, 61)

torch.manual_seed(15)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, EMB)
        self.lstm = nn.LSTM(EMB, HID, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * HID, TAGS)
        nn.init.uniform_(self.emb.weight, -0.5, 0.5)
        for name, p in self.lstm.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(p)
            elif "weight_hh" in name:
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
                if "bias_ih" in name:
                    p.data[HID:2 * HID] = 1.0          # forget gate
                else:
                    p.requires_grad_(False)            # one bias per gate is enough
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, length):
        packed = pack_padded_sequence(self.emb(x), length, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=T_MAX)
        return self.out(h)


model = Tagger()
trainable = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.SGD(trainable, lr=learning_rate(0), momentum=0.0)
criterion = nn.CrossEntropyLoss(ignore_index=-100)
X, L = torch.from_numpy(x_tr), torch.from_numpy(len_tr)
Y = torch.from_numpy(np.where(x_tr > 0, y_tr, -100))

# training
step = 0
for epoch in range(EPOCHS):
    run = 0.0
    for idx in torch.randperm(len(X)).split(BATCH):
        for group in opt.param_groups:
            group["lr"] = learning_rate(step)
        logits = model(X[idx], L[idx])
        loss = criterion(logits.reshape(-1, TAGS), Y[idx].reshape(-1))
        opt.zero_grad()
        loss.backward()
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in trainable))
        if norm > CLIP:
            for p in trainable:
                p.grad.mul_(CLIP / norm)
        opt.step()
        step += 1
        run += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {run / len(X):.4f}")

with torch.no_grad():
    pred = model(torch.from_numpy(x_te), torch.from_numpy(len_te)).argmax(-1).numpy()
real = x_te > 0
print(f"test token accuracy {(pred == y_te)[real].mean():.4f}"
      f"  sentence accuracy {((pred == y_te) | ~real).all(1).mean():.4f}")
