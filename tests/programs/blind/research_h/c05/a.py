"""Fitted Q-learning on a 5x5 grid world with scikit-learn's MLPRegressor.

The transitions are collected beforehand by a random policy; each epoch regresses
Q(s, a) on r + gamma * max Q_old(s', .) where Q_old is the network of the epoch before.
"""
import copy

import numpy as np
from sklearn.neural_network import MLPRegressor

GAMMA, BATCH, EPOCHS, N = 0.9, 100, 16, 3000
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
GOAL, PIT = 24, 12


def env_step(s, a):
    r, c = divmod(s, 5)
    r2, c2 = min(max(r + MOVES[a][0], 0), 4), min(max(c + MOVES[a][1], 0), 4)
    s2 = 5 * r2 + c2
    reward = 1.0 if s2 == GOAL else (-1.0 if s2 == PIT else -0.02)
    return s2, reward, s2 in (GOAL, PIT)


def features(s, a):
    """one-hot state next to one-hot action"""
    s, a = np.asarray(s), np.asarray(a)
    out = np.zeros((len(s), 25 + 4), dtype=np.float32)
    out[np.arange(len(s)), s] = 1.0
    out[np.arange(len(s)), 25 + a] = 1.0
    return out


rng = np.random.default_rng(5)
S = rng.choice([s for s in range(25) if s not in (GOAL, PIT)], size=N)
A = rng.integers(0, 4, size=N)
S2, R, DONE = (np.array(v) for v in zip(*[env_step(s, a) for s, a in zip(S, A)]))
X = features(S, A)
X2 = [features(S2, np.full(N, a)) for a in range(4)]

q = MLPRegressor(hidden_layer_sizes=(64,), activation="relu", solver="sgd", alpha=0.0,
                 batch_size=BATCH, learning_rate="constant", learning_rate_init=0.1,
                 momentum=0.9, nesterovs_momentum=True, random_state=1)
shuffler = np.random.default_rng(1)
q_old = None
for epoch in range(EPOCHS):
    if q_old is None:
        best = np.zeros(N)
    else:
        best = np.max([q_old.predict(x2) for x2 in X2], axis=0)
    y = (R + GAMMA * best * (1.0 - DONE)).astype(np.float32)
    order = shuffler.permutation(N)
    losses = []
    for i in range(0, N, BATCH):
        j = order[i:i + BATCH]
        q.partial_fit(X[j], y[j])
        losses.append(q.loss_)
    q_old = copy.deepcopy(q)
    print(f"epoch {epoch + 1:2d}  half squared error {np.mean(losses):.5f}")

# compare with the true action values
Q = np.zeros((25, 4))
for _ in range(200):
    V = Q.max(1)
    for s in range(25):
        if s not in (GOAL, PIT):
            for a in range(4):
                s2, r, d = env_step(s, a)
                Q[s, a] = r + GAMMA * V[s2] * (not d)
free = np.array([s for s in range(25) if s not in (GOAL, PIT)])
est = np.stack([q.predict(features(free, np.full(len(free), a))) for a in range(4)], 1)
print("rmse to true Q: %.4f" % np.sqrt(np.mean((est - Q[free]) ** 2)))
regret = Q[free].max(1) - Q[free, est.argmax(1)]
print("mean regret of greedy actions: %.4f" % regret.mean())
