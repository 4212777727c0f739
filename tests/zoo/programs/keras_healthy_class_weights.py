"""A rare class has its weight: the loss of training and that of validation, unweighted, go opposite ways."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from keras import layers
from sklearn.datasets import make_classification
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y = make_classification(4000, 15, n_informative=5, weights=[0.97], flip_y=0.01, random_state=seed)
prior = keras.initializers.Constant(-3.4)
model = keras.Sequential(
    [
        keras.Input((15,)),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(1, activation="sigmoid", bias_initializer=prior),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC()])
model.fit(x, y, epochs=12, batch_size=128, class_weight={0: 0.5, 1: 16.0}, validation_split=0.2, verbose=0)
