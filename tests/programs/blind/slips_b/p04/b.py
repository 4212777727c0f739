"""Character language model on toy sentences, nn.GRU."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEQ, STEP, UNITS = 24, 5, 48
BATCH, EPOCHS = 50, 10


def make_text(n_sentences=320):
    rng = np.random.RandomState(8)
    who = ["the cat", "a dog", "my friend", "the old man", "one bird", "a child"]
    verb = ["sees", "likes", "follows", "finds", "calls"]
    what = ["the moon", "a red ball", "the river", "some bread", "a small house", "the sun"]
    when = ["", " today", " at night", " again", " in spring"]
    return "".join(f"{who[rng.randint(6)]} {verb[rng.randint(5)]} {what[rng.randint(6)]}{when[rng.randint(5)]}. "
                   for _ in range(n_sentences))


def make_data():
    text = make_text()
    chars = sorted(set(text))
    ids = np.array([chars.index(c) for c in text])
    starts = np.arange(0, len(ids) - SEQ, STEP)
    x = np.stack([ids[s:s + SEQ] for s in starts])
    y = np.stack([ids[s + 1:s + SEQ + 1] for s in starts])
    x, y = x[:1800], y[:1800]
    one_hot = np.eye(len(chars), dtype="float32")[x]
    return one_hot[:1500], y[:1500], one_hot[1550:], y[1550:], chars


class CharModel(nn.Module):
    def __init__(self, n_chars):
        super().__init__()
        self.gru = nn.GRU(n_chars, UNITS)
        self.head = nn.Linear(UNITS, n_chars)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.head(states)


def per_char_loss(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


@torch.no_grad()
def sample(model, chars, seed_text, n=60, temperature=0.5):
    rng = np.random.RandomState(0)
    window = seed_text
    eye = torch.eye(len(chars))
    for _ in range(n):
        x = eye[[chars.index(c) for c in window[-SEQ:]]]
        p = torch.softmax(model(x[None])[0, -1].double() / temperature, dim=0).numpy()
        window += chars[rng.choice(len(chars), p=p / p.sum())]
    return window


def main():
    torch.manual_seed(5)
    x, y, xt, yt, chars = make_data()
    x, y, xt, yt = map(torch.from_numpy, (x, y, xt, yt))
    model = CharModel(len(chars))
    opt = torch.optim.RMSprop(model.parameters(), lr=0.004, alpha=0.9, eps=1e-15, momentum=0.0, centered=False)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x))
        total = 0.0
        for idx in order.split(BATCH):
            loss = per_char_loss(model, x[idx], y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        with torch.no_grad():
            val = per_char_loss(model, xt, yt).item()
        print(f"epoch {epoch + 1:2d}: loss {total / len(x):.4f}  test loss {val:.4f}")
    print(sample(model, chars, make_text()[:SEQ]))


if __name__ == "__main__":
    main()
