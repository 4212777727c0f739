"""Tagging words with a bidirectional LSTM on packed sequences. PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCAB, LONGEST, TAGS = 50, 12, 5
N_TRAIN, N_TEST, BATCH, EPOCHS = 1200, 300, 30, 9
EMB, UNITS = 16, 20
LR = 0.8


def make_sentences(seed=314):
    """Words 1..49, lists of 4 to 12, 0 as padding; a word's tag depends on both its neighbours."""
    r = np.random.RandomState(seed)
    n = N_TRAIN + N_TEST
    length = r.randint(4, LONGEST + 1, n)
    words = r.randint(1, VOCAB, (n, LONGEST))
    kind = r.randint(0, 3, VOCAB)
    k = kind[words]
    inside = np.arange(LONGEST)[None] < length[:, None]
    before = np.concatenate([np.zeros((n, 1), int), k[:, :-1]], 1)
    after = np.concatenate([np.where(inside[:, 1:], k[:, 1:], 0), np.zeros((n, 1), int)], 1)
    tag = np.where(k == 0, 0, np.where(k == 1, 1 + (before == 2), 3 + (after == 1)))
    noisy = r.uniform(size=tag.shape) < 0.03
    tag = np.where(noisy, r.randint(0, TAGS, tag.shape), tag)
    words[~inside] = 0
    tag[~inside] = -1
    return words.astype("int64"), tag.astype("int64"), length.astype("int64")


words, tags, length = make_sentences()

torch.manual_seed(55)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, EMB)
        self.lstm = nn.LSTM(EMB, UNITS, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * UNITS, TAGS)
        nn.init.uniform_(self.embed.weight, -0.5, 0.5)
        for name, p in self.lstm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(p)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(p)
            else:
                nn.init.zeros_(p)
                if name.startswith("bias_ih"):
                    with torch.no_grad():
                        p[UNITS:2 * UNITS] = 1.0        # forget gate
                else:
                    p.requires_grad_(False)             # one trained bias per gate is enough
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, w, n):
        packed = pack_padded_sequence(self.embed(w), n, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=LONGEST)
        return self.out(h)


model = Tagger()
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=LR)

W, T, L = map(torch.from_numpy, (words, tags, length))
for epoch in range(EPOCHS):
    model.train()
    loss_sum = word_sum = 0
    order = torch.randperm(N_TRAIN)
    for i in range(0, N_TRAIN, BATCH):
        b = order[i:i + BATCH]
        logits = model(W[b], L[b])
        loss = F.cross_entropy(logits.reshape(-1, TAGS), T[b].reshape(-1), ignore_index=-1)
        opt.zero_grad()
        loss.backward()
        opt.step()
        loss_sum += loss.item() * len(b)
        word_sum += len(b)
    print(f"epoch {epoch + 1} loss {loss_sum / word_sum:.4f}")

model.eval()
with torch.no_grad():
    logits = model(W[N_TRAIN:], L[N_TRAIN:])
    gold = T[N_TRAIN:]
    real = gold >= 0
    acc = (logits.argmax(2) == gold)[real].float().mean().item()
    ce = F.cross_entropy(logits[real], gold[real]).item()
print(f"test cross-entropy {ce:.4f} accuracy per word {acc:.4f}")
