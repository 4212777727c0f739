# topic classification of token bags
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(17)

VOCAB, LENGTH, TOPICS, DIM = 120, 12, 4, 16
data_rng = np.random.RandomState(77)
topic_words = [data_rng.permutation(np.arange(1, VOCAB))[:25] for _ in range(TOPICS)]


def corpus(n):
    ids = np.zeros((n, LENGTH), np.int32)
    topics = data_rng.randint(0, TOPICS, size=n)
    for i, topic in enumerate(topics):
        k = data_rng.randint(5, LENGTH + 1)
        own = data_rng.rand(k) < 0.5
        ids[i, :k] = np.where(own, data_rng.choice(topic_words[topic], k), data_rng.randint(1, VOCAB, size=k))
    return ids, topics.astype(np.int32)


ids_train, y_train = (torch.from_numpy(a).long() for a in corpus(1200))
ids_test, y_test = (torch.from_numpy(a).long() for a in corpus(500))


class TopicNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(VOCAB, DIM)
        self.hidden = nn.Linear(DIM, 32)
        self.output = nn.Linear(32, TOPICS)
        for linear in (self.hidden, self.output):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, ids):
        mask = (ids > 0).float().unsqueeze(-1)
        pooled = (self.table(ids) * mask).sum(1) / mask.sum(1)
        return self.output(torch.tanh(self.hidden(pooled)))


EPOCHS, BATCH = 20, 48
STEPS = EPOCHS * len(ids_train) // BATCH
net = TopicNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=0.0)

for epoch in range(EPOCHS):
    losses = []
    for idx in torch.randperm(len(ids_train)).split(BATCH):
        optimizer.zero_grad()
        loss = criterion(net(ids_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    print(epoch, "loss %.4f" % np.mean(losses))
with torch.no_grad():
    print("test accuracy %.4f" % (net(ids_test).argmax(1) == y_test).float().mean().item())
