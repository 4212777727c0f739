"""Review sentiment from multi-hot bags of words, Keras."""
import numpy as np
import keras
from keras import layers
from sklearn.metrics import accuracy_score, log_loss

keras.utils.set_random_seed(7)
VOCAB, N_TRAIN, N_TEST = 300, 2000, 500
BATCH, ALPHA = 100, 0.4


def make_reviews():
    """Each review draws words from a background law tilted by its sentiment."""
    rng = np.random.RandomState(42)
    base = 1.0 / np.arange(3, VOCAB + 3)
    tilt = 0.6 * rng.randn(VOCAB)
    laws = []
    for sign in (-1, 1):
        p = base * np.exp(sign * tilt)
        laws.append(p / p.sum())
    n = N_TRAIN + N_TEST
    y = rng.randint(0, 2, n)
    x = np.zeros((n, VOCAB), dtype="float32")
    for i in range(n):
        words = rng.choice(VOCAB, size=rng.randint(10, 40), p=laws[y[i]])
        x[i, words] = 1.0
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def dense(fan_in, units, activation, seed):
    """Weights and biases uniform in the Glorot bound; penalty on the kernel alone."""
    bound = float(np.sqrt(6.0 / (fan_in + units)))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed + 1),
        kernel_regularizer=keras.regularizers.L2(ALPHA / BATCH),
    )


x_train, y_train, x_test, y_test = make_reviews()

model = keras.Sequential([
    keras.Input((VOCAB,)),
    dense(VOCAB, 16, "relu", 100),
    dense(16, 16, "relu", 200),
    dense(16, 1, None, 300),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# training
model.fit(x_train, y_train.astype("float32")[:, None], batch_size=BATCH, epochs=15,
          shuffle=True, verbose=2)

for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
    z = model.predict(x, verbose=0)[:, 0].astype("float64")
    p = 1.0 / (1.0 + np.exp(-z))
    print(f"{name}: log loss {log_loss(y, p):.4f} accuracy {accuracy_score(y, p > 0.5):.4f}")
