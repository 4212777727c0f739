import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(101)

data = load_breast_cancer()
idx = np.random.default_rng(42).permutation(len(data.target))
tr, te = idx[:450], idx[450:]
mean, std = data.data[tr].mean(axis=0), data.data[tr].std(axis=0)
X = ((data.data - mean) / std).astype("float32")
y = data.target.astype("float32").reshape(-1, 1)

inputs = keras.Input((30,))
h = inputs
for units in (32, 16):
    h = layers.Dense(units, use_bias=False, kernel_initializer="glorot_uniform",
                     kernel_regularizer=regularizers.L2(1e-3))(h)
    h = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(h)
    h = layers.Activation("elu")(h)
    h = layers.Dropout(0.25)(h)
outputs = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)
hist = model.fit(X[tr], y[tr], batch_size=32, epochs=20, shuffle=True, verbose=0)
for e, (l, a) in enumerate(zip(hist.history["loss"], hist.history["acc"]), 1):
    print("epoch %2d  loss %.4f  acc %.4f" % (e, l, a))
scores = model.evaluate(X[te], y[te], batch_size=len(te), verbose=0, return_dict=True)
print("test  loss %.4f  acc %.4f" % (scores["loss"], scores["acc"]))
