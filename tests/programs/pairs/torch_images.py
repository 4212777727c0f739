"""A small convolutional network with batch normalisation in PyTorch."""

import torch
from settings import images, settings
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

o = settings(
    seed=0, lr=0.001, batch=64, epochs=3, shuffle=True, drop_last=False, sort=False, scale="unit", bn_eps=1e-5,
    bn_momentum=0.1, dropout=0.25, pad=1, pool="max", softmax=False, smoothing=0.0, train_mode=True, eval_mode=True,
    init="glorot", act="relu", conv_bias=True, opt="adam", momentum=0.9, decay=0.0, filters=8, norm=True,
)  # fmt: skip
torch.manual_seed(o.seed)
x, y = images(scale=o.scale, sort=o.sort)
x = torch.tensor(x).permute(0, 3, 1, 2)
y = torch.tensor(y)
train, test = TensorDataset(x[:512], y[:512]), TensorDataset(x[512:], y[512:])
loader = DataLoader(train, batch_size=o.batch, shuffle=o.shuffle, drop_last=o.drop_last)
act = {"relu": nn.ReLU, "gelu": nn.GELU, "elu": nn.ELU, "leaky": nn.LeakyReLU, "tanh": nn.Tanh}[o.act]
pool = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}[o.pool]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, o.filters, 3, padding=o.pad, bias=o.conv_bias)
        self.bn1 = nn.BatchNorm2d(o.filters, eps=o.bn_eps, momentum=o.bn_momentum) if o.norm else nn.Identity()
        self.conv2 = nn.Conv2d(o.filters, 2 * o.filters, 3, padding=o.pad, bias=o.conv_bias)
        self.bn2 = nn.BatchNorm2d(2 * o.filters, eps=o.bn_eps, momentum=o.bn_momentum) if o.norm else nn.Identity()
        self.act, self.pool, self.drop = act(), pool(2), nn.Dropout(o.dropout)
        self.head = nn.Linear(2 * o.filters * (9 if o.pad else 1), 4)

    def forward(self, x):
        x = self.pool(self.act(self.bn1(self.conv1(x))))
        x = self.pool(self.act(self.bn2(self.conv2(x))))
        x = self.head(self.drop(x.flatten(1)))
        return functional.softmax(x, dim=1) if o.softmax else x


model = Net()
if o.init == "glorot":
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
if o.opt == "adam":
    optimizer = torch.optim.Adam(model.parameters(), lr=o.lr, weight_decay=o.decay)
else:
    optimizer = torch.optim.SGD(model.parameters(), lr=o.lr, momentum=o.momentum, weight_decay=o.decay)
criterion = nn.CrossEntropyLoss(label_smoothing=o.smoothing)
for epoch in range(o.epochs):
    model.train(o.train_mode)
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    if o.eval_mode:
        model.eval()
    with torch.no_grad():
        scores = torch.cat([model(xb) for xb, _ in DataLoader(test, batch_size=64)])
        accuracy = (scores.argmax(1) == y[512:]).float().mean()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}, accuracy {accuracy:.3f}")
