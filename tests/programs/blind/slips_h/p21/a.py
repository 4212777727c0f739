"""Generate text character by character with a GRU (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

SEQ, BATCH, EPOCHS, UNITS, LR = 32, 64, 15, 64, 0.006


def make_text(n_sentences=1500, seed=99):
    rng = np.random.default_rng(seed)
    who = ["the old fox", "a small bird", "my sister", "the baker", "our king"]
    does = ["sees", "follows", "paints", "forgets", "finds"]
    what = ["the river", "a red boat", "seven apples", "the moon", "a quiet house"]
    when = ["at night", "in june", "every day", "again"]
    pick = lambda words: words[rng.integers(len(words))]
    return " ".join(f"{pick(who)} {pick(does)} {pick(what)} {pick(when)}." for _ in range(n_sentences))


text = make_text()
alphabet = sorted(set(text))
V = len(alphabet)
codes = np.array([alphabet.index(c) for c in text], dtype=np.int64)
windows = np.stack([codes[i:i + SEQ + 1] for i in range(0, (1280 + 128) * SEQ, SEQ)])
train, test = torch.from_numpy(windows[:1280]), torch.from_numpy(windows[1280:])


class CharModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(V, UNITS)
        self.out = nn.Linear(UNITS, V)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, ids, state=None):
        onehot = nn.functional.one_hot(ids, V).float()
        h, state = self.gru(onehot, state)
        return self.out(h), state


def loss_of(model, batch):
    logits, _ = model(batch[:, :-1])
    return nn.functional.cross_entropy(logits.reshape(-1, V), batch[:, 1:].reshape(-1))


torch.manual_seed(5)
model = CharModel()
steps = EPOCHS * (len(train) // BATCH)
opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
# cosine from LR to 0 over all the steps, moved on after each step
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: 0.5 * (1 + math.cos(math.pi * i / steps)))
loader = torch.utils.data.DataLoader(train, batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for batch in loader:
        loss = loss_of(model, batch)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.2)
        opt.step()
        sched.step()
        total += loss.item()
    with torch.no_grad():
        print(f"epoch {epoch + 1}: loss {total / len(loader):.4f} test {loss_of(model, test):.4f}")

ids, state, written = torch.tensor([[alphabet.index("t")]]), None, "t"
with torch.no_grad():
    for _ in range(80):
        logits, state = model(ids, state)
        ids = logits[:, -1].argmax(-1, keepdim=True)
        written += alphabet[ids.item()]
print(written)
