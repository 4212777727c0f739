import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import initializers, layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)
keras.mixed_precision.set_global_policy("mixed_bfloat16")

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.RandomState(0).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


def dense(units, fan_in, activation=None):
    bound = 1.0 / np.sqrt(fan_in)
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=initializers.RandomUniform(-bound, bound),
        bias_initializer=initializers.RandomUniform(-bound, bound),
    )


model = keras.Sequential([
    keras.Input((64,)),
    dense(96, 64, "relu"),
    layers.Dropout(0.2),
    dense(48, 96, "relu"),
    layers.Dropout(0.2),
    dense(10, 48),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.fit(X_train, y_train, batch_size=64, epochs=10, shuffle=True, verbose=2)

test_loss = model.evaluate(X_test, y_test, batch_size=64, verbose=0)
acc = (model.predict(X_test, verbose=0).argmax(1) == y_test).mean()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
