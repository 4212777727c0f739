"""Tagging of padded sequences with a bidirectional LSTM (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCAB, TAGS, MAXLEN = 61, 5, 16


def make_sentences(n, seed):
    """Padded word ids (0 = padding), tags, lengths. Words are ambiguous, neighbours decide."""
    lang = np.random.RandomState(8)
    move = lang.dirichlet(np.full(TAGS, 0.35), size=TAGS)
    emit = lang.dirichlet(np.full(VOCAB - 1, 0.12), size=TAGS)
    rng = np.random.RandomState(seed)
    words = np.zeros((n, MAXLEN), "int64")
    tags = np.zeros((n, MAXLEN), "int64")
    lengths = rng.randint(4, MAXLEN + 1, size=n)
    for i, length in enumerate(lengths):
        t = rng.randint(TAGS)
        for j in range(length):
            tags[i, j] = t
            words[i, j] = 1 + rng.choice(VOCAB - 1, p=emit[t])
            t = rng.choice(TAGS, p=move[t])
    return words, tags, lengths


torch.manual_seed(31)
torch.set_num_threads(1)
EMB, HID = 16, 24


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(VOCAB, EMB)
        self.lstm = nn.LSTM(EMB, HID, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * HID, TAGS)
        nn.init.uniform_(self.words.weight, -0.1, 0.1)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        for name, p in self.lstm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(p)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
                if name.startswith("bias_ih"):
                    p.data[HID:2 * HID] = 1.0       # forget gate
                else:
                    p.requires_grad_(False)         # one bias is enough

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.words(ids), lengths, batch_first=True, enforce_sorted=False)
        h, _ = self.lstm(packed)
        h, _ = pad_packed_sequence(h, batch_first=True, total_length=MAXLEN)
        return self.out(h)


def token_loss(logits, tags, mask):
    each = F.cross_entropy(logits.transpose(1, 2), tags, reduction="none")
    return (each * mask).sum() / mask.sum()


def clip(params, limit):
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
    scale = limit * torch.minimum(1.0 / norm, torch.tensor(1.0 / limit))
    for p in params:
        p.grad.mul_(scale)


def to_tensors(n, seed):
    words, tags, lengths = (torch.from_numpy(a) for a in make_sentences(n, seed))
    return words, tags, lengths, (words > 0).float()


words, tags, lengths, mask = to_tensors(1520, 1)
model = Tagger()
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.SGD(params, lr=1.5)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda step: 1.0 / (1.0 + 0.5 * step / 100))

for epoch in range(10):
    order = torch.randperm(len(words))
    for idx in order.split(32):
        loss = token_loss(model(words[idx], lengths[idx]), tags[idx], mask[idx])
        opt.zero_grad()
        loss.backward()
        clip(params, 1.0)
        opt.step()
        sched.step()
    print(f"epoch {epoch + 1}: last batch {loss.item():.4f}")

model.eval()
w, t, n, m = to_tensors(500, 2)
with torch.no_grad():
    z = model(w, n)
    hit = ((z.argmax(-1) == t) * m).sum() / m.sum()
    print(f"test loss {token_loss(z, t, m).item():.4f}  token accuracy {hit.item():.4f}")
