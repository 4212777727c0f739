"""Review sentiment from word counts, Keras version."""
import numpy as np
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(5)

VOCAB = 180
BATCH = 50
ALPHA = 0.05


def make_reviews(n, seed):
    rng = np.random.default_rng(seed)
    base = 1.0 / (np.arange(VOCAB) + 8.0)
    base = rng.permutation(base / base.sum())
    lean = np.zeros(VOCAB)
    charged = rng.choice(VOCAB, 60, replace=False)
    lean[charged] = rng.normal(0.0, 0.7, 60)
    labels = rng.integers(0, 2, n)
    bags = np.zeros((n, VOCAB), dtype="float32")
    for i, label in enumerate(labels):
        p = base * np.exp(lean if label == 1 else -lean)
        length = rng.integers(15, 50)
        words = rng.choice(VOCAB, size=length, p=p / p.sum())
        np.add.at(bags[i], words, 1.0)
    bags = np.log1p(bags)
    bags /= np.linalg.norm(bags, axis=1, keepdims=True)
    return bags.astype("float32"), labels


x, y = make_reviews(2500, seed=77)
y = y.astype("float32")[:, None]
x_train, y_train = x[:2000], y[:2000]
x_test, y_test = x[2000:], y[2000:]


def dense(n_in, n_out, seed, activation=None):
    # kernel and bias from the same interval, penalty on the kernel only
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed + 100),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential(
    [
        keras.Input((VOCAB,)),
        dense(VOCAB, 48, 1, "relu"),
        dense(48, 16, 2, "relu"),
        dense(16, 1, 3),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=12, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  objective {value:.4f}")

logits = model.predict(x_test, verbose=0).astype("float64")
signed = np.where(y_test > 0.5, logits, -logits)
print(
    f"test log loss {np.mean(np.logaddexp(0.0, -signed)):.4f}  "
    f"accuracy {np.mean((logits > 0) == (y_test > 0.5)):.4f}"
)
