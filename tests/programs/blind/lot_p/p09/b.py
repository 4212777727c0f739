import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(51)

VOCAB, TAGS, MAXLEN, PAD_TAG = 40, 5, 20, -1


def corpus(n, seed):
    rng = np.random.default_rng(seed)
    words = np.zeros((n, MAXLEN), dtype="int32")
    tags = np.full((n, MAXLEN), PAD_TAG, dtype="int32")
    for i in range(n):
        length = rng.integers(3, 10) if rng.random() < 0.85 else rng.integers(10, MAXLEN + 1)
        w = rng.integers(1, VOCAB, size=length)
        words[i, :length] = w
        prev = np.concatenate([[0], w[:-1]])
        tags[i, :length] = (w % 3 + (prev > VOCAB // 2) * 2) % TAGS
    return words, tags


w_train, t_train = (torch.from_numpy(v).long() for v in corpus(600, 1))
w_test, t_test = (torch.from_numpy(v).long() for v in corpus(200, 2))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.conv = nn.Conv1d(16, 48, 2)
        self.out = nn.Linear(48, TAGS)
        nn.init.uniform_(self.emb.weight, -0.5, 0.5)
        for m in (self.conv, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, words):
        h = self.emb(words).transpose(1, 2)
        h = F.relu(self.conv(F.pad(h, (1, 0))))
        return self.out(h.transpose(1, 2))


model = Tagger()
loss_fn = nn.CrossEntropyLoss(ignore_index=PAD_TAG)
opt = torch.optim.SGD(model.parameters(), lr=0.3)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(w_train, t_train), batch_size=30, shuffle=True)

# train
for epoch in range(20):
    for words, tags in loader:
        logits = model(words)
        loss = loss_fn(logits.reshape(-1, TAGS), tags.reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    keep = t_test != PAD_TAG
    logits = model(w_test)[keep]
    print("test nll per word %.4f" % F.cross_entropy(logits, t_test[keep]).item())
    print("test tag accuracy %.4f" % (logits.argmax(-1) == t_test[keep]).float().mean().item())
