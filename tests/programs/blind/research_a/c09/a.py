"""One attention block, spelt out with einsum; input and output embeddings are the same matrix."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)

V, L, E, H = 10, 20, 32, 2

# each token is, nine times in ten, a fixed permutation of the token three places before
rng = np.random.RandomState(6)
table = rng.permutation(V)
tokens = rng.randint(0, V, size=(1280, L + 1))
for i in range(3, L + 1):
    follow = rng.rand(1280) < 0.9
    tokens[:, i] = np.where(follow, table[tokens[:, i - 3]], tokens[:, i])
tokens = torch.from_numpy(tokens)
train, test = tokens[:1024], tokens[1024:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Parameter(0.3 * torch.randn(V, E))
        self.pos = nn.Parameter(0.3 * torch.randn(L, E))
        self.wq = nn.Parameter(torch.randn(E, H, E // H) / E ** 0.5)
        self.wk = nn.Parameter(torch.randn(E, H, E // H) / E ** 0.5)
        self.wv = nn.Parameter(torch.randn(E, H, E // H) / E ** 0.5)
        self.wo = nn.Parameter(torch.randn(H, E // H, E) / E ** 0.5)
        self.ln1 = nn.LayerNorm(E, eps=1e-5)
        self.ln2 = nn.LayerNorm(E, eps=1e-5)
        self.up = nn.Linear(E, 2 * E)
        self.down = nn.Linear(2 * E, E)
        for layer in (self.up, self.down):
            nn.init.normal_(layer.weight, std=layer.in_features ** -0.5)
            nn.init.zeros_(layer.bias)
        self.register_buffer("causal", torch.tril(torch.ones(L, L, dtype=torch.bool)))

    def attend(self, h):
        q = torch.einsum("ble,ehd->bhld", h, self.wq)
        k = torch.einsum("ble,ehd->bhld", h, self.wk)
        v = torch.einsum("ble,ehd->bhld", h, self.wv)
        score = torch.einsum("bhld,bhmd->bhlm", q, k) / (E // H) ** 0.5
        weight = score.masked_fill(~self.causal, float("-inf")).softmax(dim=-1)
        return torch.einsum("bhlm,bhmd,hde->ble", weight, v, self.wo)

    def forward(self, ids):
        h = self.tok[ids] + self.pos
        h = h + self.attend(self.ln1(h))
        h = h + self.down(F.gelu(self.up(self.ln2(h)), approximate="tanh"))
        return torch.einsum("ble,ve->blv", h, self.tok)


net = Block()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def train_step(seq):
    logits = net(seq[:, :-1])
    loss = F.cross_entropy(logits.reshape(-1, V), seq[:, 1:].reshape(-1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


# ---- training
for epoch in range(36):
    perm = torch.randperm(1024)
    losses = [train_step(train[chunk]) for chunk in perm.chunk(16)]
    if (epoch + 1) % 4 == 0:
        print("epoch %d loss %.4f" % (epoch + 1, sum(losses) / len(losses)))

with torch.no_grad():
    logits = net(test[:, :-1])
    nll = F.cross_entropy(logits.reshape(-1, V), test[:, 1:].reshape(-1)).item()
    acc = (logits.argmax(-1) == test[:, 1:]).float().mean().item()
print("test nll %.4f accuracy %.4f" % (nll, acc))
