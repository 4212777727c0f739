"""Distillation by regressing the centred logits of a frozen teacher (scikit-learn)."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)
SEED = 4
BATCH = 64
TEACHER_EPOCHS, STUDENT_EPOCHS = 10, 14


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    order = np.random.default_rng(17).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1300], y[:1300], x[1300:], y[1300:]


def teacher_logits(teacher, x):
    h = x
    for w, b in zip(teacher.coefs_[:-1], teacher.intercepts_[:-1]):
        h = np.maximum(h @ w + b, 0)
    z = h @ teacher.coefs_[-1] + teacher.intercepts_[-1]
    return (z - z.mean(axis=1, keepdims=True)).astype(np.float32)


x, y, xt, yt = digits()

teacher = MLPClassifier(
    hidden_layer_sizes=(96, 64),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate="constant",
    learning_rate_init=0.1,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=TEACHER_EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=SEED,
)
teacher.fit(x, y)
print("teacher  train loss %.4f  test accuracy %.4f" % (teacher.loss_, teacher.score(xt, yt)))

targets = teacher_logits(teacher, x)

student = MLPRegressor(
    hidden_layer_sizes=(24,),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate="constant",
    learning_rate_init=0.0015,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=STUDENT_EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=SEED + 1,
)
student.fit(x, targets)
for epoch in (0, 4, 9, 13):
    print("student  epoch %2d  loss %.4f" % (epoch + 1, student.loss_curve_[epoch]))

out = student.predict(xt)
print("student  test accuracy %.4f  agreement with teacher %.4f" % (
    np.mean(out.argmax(1) == yt), np.mean(out.argmax(1) == teacher.predict(xt))))
