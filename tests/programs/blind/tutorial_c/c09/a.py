"""Graph convolution on a made-up citation network: dense adjacency, full batch, PyTorch."""
import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES, NODES, WORDS, HIDDEN = 4, 400, 60, 16


def make_graph(seed=31):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, CLASSES, NODES)
    same = label[:, None] == label[None, :]
    upper = np.triu(rng.random((NODES, NODES)) < np.where(same, 0.04, 0.007), 1)
    adj = (upper | upper.T).astype(np.float64) + np.eye(NODES)
    d = 1 / np.sqrt(adj.sum(1))
    adj = (d[:, None] * adj * d[None, :]).astype(np.float32)
    topic = rng.random((CLASSES, WORDS)) < 0.25
    words = rng.random((NODES, WORDS)) < np.where(topic[label], 0.2, 0.06)
    order = rng.permutation(NODES)
    return adj, words.astype(np.float32), label.astype(np.int64), order[:80], order[80:180], order[180:]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_in, n_out)))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, adj, x):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = GraphConv(WORDS, HIDDEN), GraphConv(HIDDEN, CLASSES)
        self.drop = nn.Dropout(0.5)

    def forward(self, adj, x):
        h = F.relu(self.first(adj, self.drop(x)))
        return self.second(adj, self.drop(h))


torch.manual_seed(2)
adj, words, label, *split = (torch.from_numpy(v) for v in make_graph())
train, val, test = split
net = GCN()
opt = torch.optim.Adagrad(net.parameters(), lr=0.3, lr_decay=0,
                          initial_accumulator_value=0.1, eps=1e-10)

best, best_state, waited = float("inf"), None, 0
for epoch in range(300):
    net.train()
    opt.zero_grad()
    loss = F.cross_entropy(net(adj, words)[train], label[train])
    loss = loss + 1e-3 * net.first.weight.square().sum()
    loss.backward()
    opt.step()

    net.eval()
    with torch.no_grad():
        val_loss = F.cross_entropy(net(adj, words)[val], label[val]).item()
    if val_loss < best:
        best, best_state, waited = val_loss, copy.deepcopy(net.state_dict()), 0
    else:
        waited += 1
        if waited >= 30:
            break
    if epoch % 20 == 0:
        print(f"epoch {epoch}: loss {loss.item():.4f} val_loss {val_loss:.4f}")

net.load_state_dict(best_state)
with torch.no_grad():
    acc = (net(adj, words).argmax(1) == label).float()
print(f"stopped after {epoch + 1} epochs, best val_loss {best:.4f}, "
      f"val accuracy {acc[val].mean():.4f}, test accuracy {acc[test].mean():.4f}")
