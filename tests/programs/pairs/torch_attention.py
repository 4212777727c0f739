"""One Transformer block over sequences of words, in PyTorch."""

import torch
from settings import sentences, settings
from torch import nn

o = settings(
    seed=0, lr=0.001, batch=32, epochs=3, gelu="none", ln_eps=1e-5, opt="adamw", decay=0.01, dropout=0.1, clip=0.0,
    warmup=0, heads=2, smoothing=0.0, beta2=0.999, bfloat16=False, pre_norm=True, act="gelu", accumulate=1,
)  # fmt: skip
torch.manual_seed(o.seed)
x, y = (torch.tensor(part) for part in sentences())


class Block(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Embedding(40, width)
        self.place = nn.Embedding(20, width)
        self.norm1 = nn.LayerNorm(width, eps=o.ln_eps)
        self.attention = nn.MultiheadAttention(width, o.heads, dropout=o.dropout, batch_first=True)
        self.norm2 = nn.LayerNorm(width, eps=o.ln_eps)
        middle = nn.GELU(approximate=o.gelu) if o.act == "gelu" else nn.ReLU()
        self.feed = nn.Sequential(nn.Linear(width, 64), middle, nn.Linear(64, width), nn.Dropout(o.dropout))
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        h = self.embed(x) + self.place(torch.arange(x.shape[1]))
        if o.pre_norm:
            z = self.norm1(h)
            h = h + self.attention(z, z, z, need_weights=False)[0]
            h = h + self.feed(self.norm2(h))
        else:
            h = self.norm1(h + self.attention(h, h, h, need_weights=False)[0])
            h = self.norm2(h + self.feed(h))
        return self.head(h.mean(1))


model = Block()
rule = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[o.opt]
optimizer = rule(model.parameters(), lr=o.lr, weight_decay=o.decay, betas=(0.9, o.beta2))
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / max(1, o.warmup)))
criterion = nn.CrossEntropyLoss(label_smoothing=o.smoothing)
for epoch in range(o.epochs):
    order = torch.randperm(len(x))
    for at, i in enumerate(range(0, len(x), o.batch)):
        chosen = order[i : i + o.batch]
        with torch.autocast("cpu", torch.bfloat16, enabled=o.bfloat16):
            loss = criterion(model(x[chosen]), y[chosen])
        if at % o.accumulate == 0:
            optimizer.zero_grad()
        loss.backward()
        if (at + 1) % o.accumulate == 0:
            if o.clip:
                nn.utils.clip_grad_norm_(model.parameters(), o.clip)
            optimizer.step()
            scheduler.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
