import random
import numpy as np
import keras
from keras import layers

rng = np.random.RandomState(5)
N = 1500
cards = [12, 7, 20, 5]
offsets = np.cumsum([0] + cards[:-1])
codes = np.stack([rng.randint(0, c, N) for c in cards], axis=1)
effect = [rng.randn(c) for c in cards]
num = rng.randn(N, 3).astype("float32")
score = sum(effect[j][codes[:, j]] for j in range(4)) + num[:, 0] - effect[0][codes[:, 0]] * num[:, 1]
label = (score + 0.3 * rng.randn(N) > 0).astype("float32")[:, None]
ids = (codes + offsets).astype("int64")
n_vocab = sum(cards)
tr, te = slice(0, 1200), slice(1200, None)

random.seed(3)

cat_in = keras.Input((4,), dtype="int64")
num_in = keras.Input((3,))
emb = layers.Embedding(n_vocab, 6, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05))(cat_in)
z = layers.Concatenate()([layers.Flatten()(emb), num_in])
z = layers.Dense(32, activation="tanh")(z)
z = layers.Dropout(0.1)(z)
model = keras.Model([cat_in, num_in], layers.Dense(1)(z))

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.5),
              loss="binary_crossentropy")
history = model.fit([ids[tr], num[tr]], label[tr], batch_size=50, epochs=18, shuffle=True, verbose=0)
for i, v in enumerate(history.history["loss"], 1):
    print(i, round(v, 4))

out = model.predict([ids[te], num[te]], verbose=0)
print("test accuracy", float(((out > 0) == (label[te] > 0.5)).mean()))
