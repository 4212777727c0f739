"""SGD with learning_rate='adaptive': it is divided by five whenever progress stops."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, digits

seed, _ = arguments()
x, y, x_test, y_test = digits(seed)
mlp = MLPClassifier(
    (50,),
    solver="sgd",
    learning_rate="adaptive",
    learning_rate_init=0.2,
    max_iter=60,
    n_iter_no_change=3,
    random_state=seed,
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x_test, y_test))
