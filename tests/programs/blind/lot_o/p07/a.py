import keras
import numpy as np

rng = np.random.default_rng(55)
centers = rng.normal(scale=1.1, size=(5, 16))
label = rng.integers(0, 5, size=900)
feats = (centers[label] + 2.0 * rng.normal(size=(900, 16))).astype("float32")
label = label.astype("int64")
x_tr, y_tr, x_te, y_te = feats[:720], label[:720], feats[720:], label[720:]

EPOCHS = 24


def rate(epoch):
    return 0.06 if epoch % 2 == 0 else 0.002


keras.utils.set_random_seed(101)
model = keras.Sequential([
    keras.Input((16,)),
    keras.layers.Dense(40, activation="tanh"),
    keras.layers.Dense(5),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=rate(0), momentum=0.95, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
log = model.fit(
    x_tr, y_tr, batch_size=36, epochs=EPOCHS, shuffle=True, verbose=0,
    callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch, lr: rate(epoch))],
)
for epoch in range(EPOCHS):
    print(epoch + 1, f"{log.history['loss'][epoch]:.5f}")
print("test loss", f"{model.evaluate(x_te, y_te, batch_size=180, verbose=0):.5f}")
print("test acc", f"{(model.predict(x_te, verbose=0).argmax(1) == y_te).mean():.4f}")
