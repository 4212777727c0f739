"""Sentiment of synthetic reviews: embedding, 1-d convolution, max over time. PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

VOCAB, LENGTH, DIM = 300, 40, 16
BATCH, EPOCHS = 32, 8


def make_reviews():
    """Word ids 1..299; a few words are friendly, a few are hostile, a 'not' (id 41) flips the next word."""
    rng = np.random.default_rng(21)
    n = 2000
    x = np.zeros((n, LENGTH), dtype="int64")
    score = np.zeros(n)
    for i in range(n):
        length = rng.integers(15, LENGTH + 1)
        words = rng.integers(42, VOCAB, size=length)
        mood = rng.random()
        for j in range(length):
            if rng.random() < 0.3:
                good = rng.random() < mood
                words[j] = rng.integers(1, 21) if good else rng.integers(21, 41)
                if j > 0 and rng.random() < 0.1:
                    words[j - 1] = 41
        for j in range(length):
            s = 1 if words[j] <= 20 else (-1 if words[j] <= 40 else 0)
            if j > 0 and words[j - 1] == 41:
                s = -s
            score[i] += s
        x[i, LENGTH - length:] = words          # padded on the left with 0
    y = (score > 0).astype("float32")
    return x[:1600], y[:1600], x[1600:], y[1600:]


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, DIM)
        self.conv = nn.Conv1d(DIM, 24, kernel_size=3)
        self.hidden = nn.Linear(24, 16)
        self.out = nn.Linear(16, 1)
        nn.init.uniform_(self.embed.weight, -0.5, 0.5)
        for m in (self.conv, self.hidden, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, ids):
        h = self.embed(ids).transpose(1, 2)
        h = F.relu(self.conv(h)).amax(dim=2)
        h = F.relu(self.hidden(h))
        return self.out(h).squeeze(1)


def main():
    torch.manual_seed(3)
    xtr, ytr, xte, yte = (torch.from_numpy(a) for a in make_reviews())
    net = TextCNN()
    opt = torch.optim.SGD(net.parameters(), lr=0.2)
    # 0.2 in the first five epochs, a quarter of it in the others
    sched = torch.optim.lr_scheduler.StepLR(opt, step_size=5, gamma=0.25)
    loss_fn = nn.BCEWithLogitsLoss()

    for epoch in range(EPOCHS):
        net.train()
        perm = torch.randperm(len(xtr))
        running = 0.0
        for start in range(0, len(xtr), BATCH):
            idx = perm[start:start + BATCH]
            loss = loss_fn(net(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        sched.step()
        print(f"epoch {epoch}: loss {running / len(xtr):.4f}")

    net.eval()
    with torch.no_grad():
        z = net(xte)
        print(f"test loss {loss_fn(z, yte).item():.4f}  "
              f"accuracy {((z > 0).float() == yte).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
