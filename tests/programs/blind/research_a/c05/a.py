"""Fitted Q-iteration with scikit-learn on logged transitions of a point on a line."""
import copy

import numpy as np
from sklearn.neural_network import MLPRegressor

GAMMA = 0.9
ACTIONS = np.array([-1.0, 0.0, 1.0])


def dynamics(s, a):
    pos, vel = s[:, 0], s[:, 1]
    vel2 = np.clip(0.9 * vel + 0.2 * ACTIONS[a] - 0.1 * np.sin(2 * pos), -1, 1)
    pos2 = np.clip(pos + 0.3 * vel2, -1.5, 1.5)
    reward = np.exp(-4.0 * (pos2 - 0.5) ** 2) - 0.05 * np.abs(ACTIONS[a])
    return np.stack([pos2, vel2], axis=1), reward


# logged transitions
rng = np.random.default_rng(123)
S = np.stack([rng.uniform(-1.5, 1.5, 1200), rng.uniform(-1, 1, 1200)], axis=1)
A = rng.integers(0, 3, 1200)
S2, R = dynamics(S, A)


def features(s, a):
    return np.concatenate([s, np.eye(3)[a]], axis=1).astype(np.float32)


X = features(S, A)

qnet = MLPRegressor(hidden_layer_sizes=(40, 24), activation="tanh", solver="sgd",
                    alpha=0.0, batch_size=64, learning_rate="constant",
                    learning_rate_init=0.03, momentum=0.9, nesterovs_momentum=False,
                    shuffle=True, early_stopping=False, tol=0.0, n_iter_no_change=10**6,
                    random_state=np.random.RandomState(21))


def q_values(net, s):
    n = len(s)
    return np.stack([net.predict(features(s, np.full(n, a))) for a in range(3)], axis=1)


# ---- training
target = None
for it in range(14):
    y = R if target is None else R + GAMMA * q_values(target, S2).max(axis=1)
    y = y.astype(np.float32)
    for _ in range(2):
        qnet.partial_fit(X, y)
    target = copy.deepcopy(qnet)
    err = np.mean((qnet.predict(X) - y) ** 2)
    print(f"iteration {it + 1:2d}  fit error {err:.5f}  mean Q {y.mean():.3f}")

# greedy policy from a grid of starts
s = np.stack(np.meshgrid(np.linspace(-1.4, 1.4, 15), np.linspace(-0.8, 0.8, 5)), -1).reshape(-1, 2)
ret = np.zeros(len(s))
for t in range(30):
    s, r = dynamics(s, q_values(qnet, s).argmax(axis=1))
    ret += GAMMA ** t * r
print(f"greedy return {ret.mean():.4f}")
