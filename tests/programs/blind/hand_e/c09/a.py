"""Tagging padded token sequences: embedding + causal convolution (PyTorch, library parts)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
VOCAB, TAGS, T = 20, 4, 16


def make_data(n=1000, seed=2):
    rng = np.random.default_rng(seed)
    length = rng.integers(6, T + 1, n)
    tok = rng.integers(1, VOCAB, (n, T))
    prev = np.concatenate([np.zeros((n, 1), int), tok[:, :-1]], 1)
    tag = np.where(prev % 3 == 0, tok % TAGS, (tok // 5) % TAGS)
    pad = np.arange(T)[None, :] >= length[:, None]
    tok[pad] = 0
    tag[pad] = -100
    return tok.astype("int64"), tag.astype("int64")


tok, tag = map(torch.from_numpy, make_data())
train = TensorDataset(tok[:800], tag[:800])
test_tok, test_tag = tok[800:], tag[800:]


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 12)
        self.conv = nn.Conv1d(12, 32, 3)
        self.out = nn.Linear(32, TAGS)
        nn.init.uniform_(self.emb.weight, -0.5, 0.5)
        for m in (self.conv, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, ids):
        h = self.emb(ids).transpose(1, 2)
        h = torch.relu(self.conv(F.pad(h, (2, 0))))
        return self.out(h.transpose(1, 2))


model = Tagger()
criterion = nn.CrossEntropyLoss(ignore_index=-100)
opt = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=8, gamma=0.3)
loader = DataLoader(train, batch_size=32, shuffle=True)

for epoch in range(12):
    losses = []
    for ids, tags in loader:
        loss = criterion(model(ids).reshape(-1, TAGS), tags.reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    sched.step()
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    logits = model(test_tok)
    valid = test_tag != -100
    loss = criterion(logits.reshape(-1, TAGS), test_tag.reshape(-1)).item()
    acc = (logits.argmax(-1) == test_tag)[valid].float().mean().item()
print(f"test loss {loss:.4f}  tag accuracy {acc:.4f}")
