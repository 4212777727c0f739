"""Three classes with scikit-learn's multilayer perceptron."""

import warnings

from settings import blobs, settings
from sklearn.neural_network import MLPClassifier

o = settings(
    seed=0, lr=0.05, batch=40, epochs=4, opt="sgd", momentum=0.9, nesterov=False, alpha=0.0, act="tanh", hidden=16,
    shuffle=True, schedule="constant", early=False, balance=True,
)  # fmt: skip
warnings.filterwarnings("ignore")
x, y = blobs(balance=o.balance)
model = MLPClassifier(
    (o.hidden,), activation=o.act, solver=o.opt, alpha=o.alpha, batch_size=o.batch, learning_rate_init=o.lr,
    learning_rate=o.schedule, max_iter=o.epochs, momentum=o.momentum, nesterovs_momentum=o.nesterov,
    random_state=o.seed, shuffle=o.shuffle, early_stopping=o.early,
)  # fmt: skip
model.fit(x, y)
print("accuracy", model.score(x, y))
