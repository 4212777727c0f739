"""Tagging of padded token sequences: padding_idx, ignore_index and ExponentialLR from PyTorch."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(21)
VOCAB, TAGS, MAXLEN = 40, 4, 16


def corpus(n, seed):
    rng = np.random.default_rng(seed)
    tokens = np.zeros((n, MAXLEN), np.int64)          # 0 is padding
    tags = np.full((n, MAXLEN), -100, np.int64)
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        s = rng.integers(1, VOCAB, length)
        before = np.concatenate([[1], s[:-1]])
        g = 2 * (s % 2) + (before > VOCAB // 2)
        noisy = rng.random(length) < 0.03
        g = np.where(noisy, rng.integers(0, TAGS, length), g)
        tokens[i, :length] = s
        tags[i, :length] = g
    return tokens, tags


train_tok, train_tag = (torch.from_numpy(v) for v in corpus(800, 0))
test_tok, test_tag = (torch.from_numpy(v) for v in corpus(300, 1))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, 16, padding_idx=0)
        self.conv = nn.Conv1d(16, 32, kernel_size=3, padding=1)
        self.out = nn.Linear(32, TAGS)
        nn.init.normal_(self.embed.weight, std=0.5)
        with torch.no_grad():
            self.embed.weight[0].zero_()
        nn.init.xavier_uniform_(self.conv.weight)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.conv.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, tok):
        e = self.embed(tok)                            # B, T, 16
        h = torch.tanh(self.conv(e.transpose(1, 2))).transpose(1, 2)
        return self.out(h)


model = Tagger()
loss_fn = nn.CrossEntropyLoss(ignore_index=-100)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.0, weight_decay=0.0)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(train_tok, train_tag),
                                     batch_size=40, shuffle=True)

# training
for epoch in range(25):
    model.train()
    seen = 0.0
    for tok, tag in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(tok).flatten(0, 1), tag.flatten())
        loss.backward()
        optimizer.step()
        seen += loss.item()
    scheduler.step()
    print(f"epoch {epoch + 1:2d} loss {seen / len(loader):.4f}")

model.eval()
with torch.no_grad():
    logits = model(test_tok)
    valid = test_tag != -100
    acc = (logits.argmax(-1)[valid] == test_tag[valid]).float().mean().item()
    print(f"test loss {loss_fn(logits.flatten(0, 1), test_tag.flatten()).item():.4f} token accuracy {acc:.4f}")
