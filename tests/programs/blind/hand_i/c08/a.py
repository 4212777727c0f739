"""Token tagging with padded sentences: nn.Embedding(padding_idx), Conv1d, ignore_index, SGD."""
import numpy as np
import torch
from torch import nn

VOCAB, TAGS, LENGTH, EMB, HIDDEN = 25, 3, 14, 12, 32
BATCH, EPOCHS = 32, 16


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    tokens = np.zeros((n, LENGTH), dtype="int64")
    tags = np.full((n, LENGTH), -100, dtype="int64")
    for i in range(n):
        k = rng.randint(5, LENGTH + 1)
        tokens[i, :k] = rng.randint(1, VOCAB, size=k)
        for t in range(k):
            tag = tokens[i, t] % TAGS
            if t > 0 and tokens[i, t - 1] <= 8:
                tag = (tag + 1) % TAGS
            tags[i, t] = tag
    return tokens, tags


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, EMB, padding_idx=0)
        self.conv = nn.Conv1d(EMB, HIDDEN, kernel_size=3, padding=1)
        self.out = nn.Linear(HIDDEN, TAGS)
        nn.init.normal_(self.emb.weight, std=0.5)
        with torch.no_grad():
            self.emb.weight[0].zero_()
        for m in (self.conv, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, tokens):
        h = self.emb(tokens).transpose(1, 2)
        h = torch.relu(self.conv(h)).transpose(1, 2)
        return self.out(h)


def main():
    torch.manual_seed(0)
    tokens, tags = (torch.from_numpy(v) for v in make_data(900, 50))
    tokens_t, tags_t = (torch.from_numpy(v) for v in make_data(300, 51))
    model = Tagger()
    print("weights:", sum(p.numel() for p in model.parameters()))
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, dampening=0.0,
                          nesterov=True, weight_decay=2e-4)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(tokens))
        total = 0.0
        for idx in order.split(BATCH):
            logits = model(tokens[idx])
            loss = criterion(logits.reshape(-1, TAGS), tags[idx].reshape(-1))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(tokens):.4f}")
    model.eval()
    with torch.no_grad():
        logits = model(tokens_t)
        loss = criterion(logits.reshape(-1, TAGS), tags_t.reshape(-1)).item()
        real = tags_t != -100
        acc = (logits.argmax(-1) == tags_t)[real].float().mean().item()
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
