import keras
import numpy as np
from sklearn.datasets import load_wine

wine = load_wine()
order = np.random.RandomState(8).permutation(178)
X, y = wine.data[order], wine.target[order]
X = ((X - X[:120].mean(0)) / X[:120].std(0)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:120], y[:120], X[120:], y[120:]

ALPHA, BATCH = 0.2, 20
keras.utils.set_random_seed(7)


def dense(n_in, n_out, activation):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(minval=-bound, maxval=bound),
        bias_initializer=keras.initializers.RandomUniform(minval=-bound, maxval=bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((13,)),
    dense(13, 24, "tanh"),
    dense(24, 12, "tanh"),
    dense(12, 3, "softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=False),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=30, shuffle=True, verbose=0)

for epoch in (1, 10, 20, 30):
    print(f"epoch {epoch} objective {history.history['loss'][epoch - 1]:.4f}")
for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    p = model.predict(a, verbose=0)
    ce = -np.log(p[np.arange(len(b)), b]).mean()
    print(f"{name} cross-entropy {ce:.4f} accuracy {(p.argmax(1) == b).mean():.4f}")
