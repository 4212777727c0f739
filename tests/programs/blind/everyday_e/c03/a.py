import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

# ---------------------------------------------------------------- data
digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype(np.float32)
labels = digits.target[order].astype(np.int64)

x_train = torch.from_numpy(images[:1500]).unsqueeze(1)  # N, 1, 8, 8
y_train = torch.from_numpy(labels[:1500])
x_test = torch.from_numpy(images[1500:]).unsqueeze(1)
y_test = torch.from_numpy(labels[1500:])


# ---------------------------------------------------------------- model
class BatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d whose running variance is the biased one, as in Keras."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
            self.num_batches_tracked += 1
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def conv_block(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel_size=3, padding=1, bias=False),
        BatchNorm2d(cout, eps=1e-3, momentum=0.1),
        nn.ReLU(),
    )


class DigitNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.block1 = conv_block(1, 12)
        self.block2 = conv_block(12, 24)
        self.block3 = conv_block(24, 32)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(32, num_classes)

        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        x = self.pool(self.block1(x))
        x = self.pool(self.block2(x))
        x = self.block3(x)
        x = x.mean(dim=(2, 3))
        return self.head(self.dropout(x))


model = DigitNet()
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, betas=(0.9, 0.999), eps=1e-12)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

# ---------------------------------------------------------------- training
for epoch in range(10):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * xb.size(0)
    scheduler.step()

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        val_loss = criterion(logits, y_test).item()
        val_acc = (logits.argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f}  val_loss {val_loss:.4f}  val_acc {val_acc:.4f}")
