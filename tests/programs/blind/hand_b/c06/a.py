"""Unbalanced classes, Keras fit: dropout, class_weight, gradient accumulation."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_classification

EPOCHS, BATCH, ACC = 15, 32, 4
LR, MU, RATE = 0.1, 0.9, 0.25
CLASS_WEIGHT = {0: 0.5, 1: 1.0, 2: 1.5, 3: 3.0}

X, Y = make_classification(n_samples=1624, n_features=12, n_informative=8, n_redundant=2,
                           n_classes=4, weights=[0.5, 0.25, 0.15, 0.1], class_sep=1.4,
                           flip_y=0.02, random_state=21)
X = X.astype("float32") / 2.0
Y = Y.astype("int32")
x_train, y_train, x_test, y_test = X[:1024], Y[:1024], X[1024:], Y[1024:]

keras.utils.set_random_seed(8)
init = dict(kernel_initializer="he_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((12,)),
    layers.Dense(48, activation="elu", **init),
    layers.Dropout(RATE),
    layers.Dense(24, activation="elu", **init),
    layers.Dropout(RATE),
    layers.Dense(4, **init),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=MU, nesterov=False,
                                   gradient_accumulation_steps=ACC),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)

# training
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
                    class_weight=CLASS_WEIGHT, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  train loss {value:.4f}")

test_loss = model.evaluate(x_test, y_test, batch_size=600, verbose=0)
logits = model.predict(x_test, batch_size=600, verbose=0)
acc = float((logits.argmax(1) == y_test).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
