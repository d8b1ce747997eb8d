"""A network that says how a tank goes on, for the page beside this file: model.onnx, stream.json.

python write_files.py && npm install && python -m http.server
"""

import json
from pathlib import Path

from statewise import Sequential, datasets, layers, sequences

KNOWN, ARRIVING, HORIZON = 60, 40, 12

tanks = datasets.tanks(9, steps=200)  # (tanks, time steps, features)
scaler = sequences.StandardScaler().fit(tanks[:8])
scaled = scaler.transform(tanks).astype("float32")
model = Sequential(
    [layers.Input((None, 2)), layers.LSTM(16, return_sequences=True, name="tank"), layers.Dense(2)]
)
model.compile(loss="mse", optimizer="adam")
model.fit(scaled[:8, :-1], scaled[:8, 1:], epochs=30, verbose=0)

model.export("model.onnx", state=True)
told = {
    "known": scaled[8, :KNOWN].tolist(),  # a tank that the network has never seen
    "arriving": scaled[8, KNOWN : KNOWN + ARRIVING].tolist(),
    "horizon": HORIZON,
    "states": [["tank/h", 16], ["tank/c", 16]],
    "shift": scaler.shift.tolist(),
    "scale": scaler.scale.tolist(),
}
Path("stream.json").write_text(json.dumps(told), "utf-8")
