"""An LSTM that classifies sequences of words, in Keras."""

import keras
from keras import layers
from settings import sentences, settings

o = settings(
    seed=0, lr=0.003, batch=32, epochs=3, forget=True, clip=0.0, opt="adam", hidden=24, embedding=16, weight=1.0,
    recurrent_init="orthogonal", recurrent_activation="sigmoid", activation="tanh", embed_init="uniform", logits=False,
    sigmoid=True, dropout=0.0, shuffle=True, last=True,
)  # fmt: skip
keras.utils.set_random_seed(o.seed)
x, y = sentences()
lstm = layers.LSTM(
    o.hidden, activation=o.activation, recurrent_activation=o.recurrent_activation, unit_forget_bias=o.forget,
    recurrent_initializer=o.recurrent_init, return_sequences=not o.last,
)  # fmt: skip
model = keras.Sequential(
    [
        keras.Input((20,), dtype="int64"), layers.Embedding(40, o.embedding, embeddings_initializer=o.embed_init), lstm,
        *([] if o.last else [layers.GlobalAveragePooling1D()]), layers.Dropout(o.dropout),
        layers.Dense(1, activation="sigmoid" if o.sigmoid else None),
    ]
)  # fmt: skip
clip = {"global_clipnorm": o.clip} if o.clip else {}
optimizer = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[o.opt](o.lr, **clip)
model.compile(optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=o.logits))
weight = {0: 1.0, 1: o.weight} if o.weight != 1.0 else None
history = model.fit(x, y, batch_size=o.batch, epochs=o.epochs, class_weight=weight, shuffle=o.shuffle, verbose=0)
print("loss", history.history["loss"][-1])
