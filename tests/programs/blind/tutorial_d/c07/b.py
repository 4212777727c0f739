"""A letter-level language model: torch GRU, momentum, clipped gradients."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(2)


def make_text(sentences=800, seed=6):
    rng = np.random.default_rng(seed)
    who = ["the cat", "a dog", "the old man", "my aunt", "a bird"]
    does = ["sees", "finds", "likes", "follows", "hears"]
    what = ["the moon", "a red ball", "the river", "some bread", "a song"]
    parts = []
    for _ in range(sentences):
        i, j = rng.integers(0, 5, 2)
        k = (i + j + rng.integers(0, 2)) % 5
        parts.append(f"{who[i]} {does[j]} {what[k]}. ")
    return "".join(parts)


class CharModel(nn.Module):
    def __init__(self, vocab, units):
        super().__init__()
        self.vocab = vocab
        self.gru = nn.GRU(vocab, units, batch_first=True)
        self.readout = nn.Linear(units, vocab)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)

    def forward(self, ids):
        states, _ = self.gru(F.one_hot(ids, self.vocab).float())
        return self.readout(states)


def clip_global(parameters, limit):
    grads = [p.grad for p in parameters]
    norm = torch.sqrt(sum((g**2).sum() for g in grads))
    if norm > limit:
        for g in grads:
            g.mul_(limit / norm)


text = make_text()
alphabet = sorted(set(text))
ids = torch.tensor([alphabet.index(c) for c in text])
seq = 20
count = len(ids) // (seq + 1)
chunks = ids[: count * (seq + 1)].view(count, seq + 1)
train, held = chunks[:800], chunks[800:]

model = CharModel(len(alphabet), 56)
params = list(model.parameters())
opt = torch.optim.SGD(params, lr=0.3, momentum=0.9, nesterov=True, dampening=0, weight_decay=0)


def lm_loss(batch):
    return F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())


for epoch in range(8):
    losses = []
    for idx in torch.randperm(len(train)).split(32):
        opt.zero_grad()
        loss = lm_loss(train[idx])
        loss.backward()
        clip_global(params, 0.5)
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}  loss {sum(losses) / len(losses):.4f}")

with torch.no_grad():
    print(f"held-out loss {lm_loss(held).item():.4f}")
    line = [alphabet.index(c) for c in "the cat sees the moon"[:seq]]
    for _ in range(40):
        p = torch.softmax(model(torch.tensor([line[-seq:]]))[0, -1], dim=-1)
        line.append(int(torch.multinomial(p, 1)))
print("".join(alphabet[i] for i in line))
