import numpy as np
import torch
from torch import nn

VOCAB, TAGS, MAXLEN = 50, 5, 18
EMB, HID = 16, 40
BATCH, EPOCHS, LR, MOMENTUM, DECAY = 25, 20, 0.1, 0.9, 2e-4


def make_sentences(n, rng):
    """Words 1..VOCAB-1, 0 is padding; a tag depends on the word's class and its left neighbour's."""
    classes = np.random.default_rng(1234).integers(0, 4, size=VOCAB)
    words = np.zeros((n, MAXLEN), "int64")
    tags = np.full((n, MAXLEN), -100, "int64")
    for k in range(n):
        m = rng.integers(5, MAXLEN + 1)
        w = rng.integers(1, VOCAB, size=m)
        c = classes[w]
        left = np.concatenate([[0], c[:-1]])
        tag = np.where((c == 3) & (left % 2 == 1), 4, c)
        words[k, :m] = w
        tags[k, :m] = np.where(rng.random(m) < 0.03, rng.integers(0, TAGS, size=m), tag)
    return words, tags


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, EMB)
        self.conv = nn.Conv1d(EMB, HID, 3, padding=1)
        self.out = nn.Linear(HID, TAGS)
        nn.init.normal_(self.emb.weight, std=0.3)
        for layer in (self.conv, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, words):
        h = self.emb(words).transpose(1, 2)
        h = nn.functional.elu(self.conv(h)).transpose(1, 2)
        return self.out(h)


loss_fn = nn.CrossEntropyLoss(ignore_index=-100)


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, dampening=0.0,
                           weight_decay=DECAY, nesterov=False)


def train_step(model, opt, words, tags):
    loss = loss_fn(model(words).reshape(-1, TAGS), tags.reshape(-1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def main():
    rng = np.random.default_rng(40)
    words, tags = map(torch.from_numpy, make_sentences(500, rng))
    test_words, test_tags = map(torch.from_numpy, make_sentences(200, rng))

    torch.manual_seed(14)
    model = Tagger()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        losses = [train_step(model, opt, words[i], tags[i]) for i in torch.randperm(len(words)).split(BATCH)]
        print(f"epoch {epoch + 1}: mean batch loss {np.mean(losses):.4f}")

    with torch.no_grad():
        logits = model(test_words)
        loss = loss_fn(logits.reshape(-1, TAGS), test_tags.reshape(-1)).item()
        valid = test_tags != -100
        acc = (logits.argmax(-1) == test_tags)[valid].float().mean().item()
    print(f"test loss {loss:.4f} token acc {acc:.4f}")


if __name__ == "__main__":
    main()
