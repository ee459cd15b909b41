"""Networks over time, attention, and networks with weights in globals, lists and objects."""
# People's own code stays as they write it.
# ruff: noqa: B905, RUF007, RUF059

from __future__ import annotations

import numpy as np

from tests.gradients import Case

rng = np.random.default_rng(100)

hidden_size, vocab_size = 3, 4
Wxh = rng.normal(size=(hidden_size, vocab_size)) * 0.5
Whh = rng.normal(size=(hidden_size, hidden_size)) * 0.5
Why = rng.normal(size=(vocab_size, hidden_size)) * 0.5
bh = rng.normal(size=(hidden_size, 1)) * 0.1
by = rng.normal(size=(vocab_size, 1)) * 0.1


def char_loss(inputs, targets, hprev):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def char_grads(inputs, targets, hprev):
    xs, hs, ps = {}, {}, {}
    hs[-1] = np.copy(hprev)
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        y = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return dWxh, dWhh, dWhy, dbh, dby


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
    o, g = sigmoid(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - t**2)
    di, df, do, dg = dc * g, dc * prev_c, dnext_h * t, dc * i
    da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def lstm_loss(x, prev_h, prev_c, Wx, Wh, b):
    h, c, _ = lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)
    return np.sum(h**2) / 2 + np.sum(c)


def lstm_grads(x, prev_h, prev_c, Wx, Wh, b):
    h, c, cache = lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)
    return lstm_step_backward(h, np.ones_like(c), cache)


def gru(x, h, Wz, Wr, Wn):
    xh = np.concatenate([x, h])
    z, r = sigmoid(Wz @ xh), sigmoid(Wr @ xh)
    n = np.tanh(Wn @ np.concatenate([x, r * h]))
    return (1 - z) * h + z * n


def gru_backward(x, h, Wz, Wr, Wn, dout):
    k = len(x)
    xh = np.concatenate([x, h])
    z, r = sigmoid(Wz @ xh), sigmoid(Wr @ xh)
    xrh = np.concatenate([x, r * h])
    n = np.tanh(Wn @ xrh)
    dz = dout * (n - h) * z * (1 - z)
    dn = dout * z * (1 - n * n)
    dxrh = Wn.T @ dn
    dr = dxrh[k:] * h * r * (1 - r)
    dxh = Wz.T @ dz + Wr.T @ dr
    dx = dxrh[:k] + dxh[:k]
    dh = dout * (1 - z) + dxrh[k:] * r + dxh[k:]
    return dx, dh, np.outer(dz, xh), np.outer(dr, xh), np.outer(dn, xrh)


def attention(q, k, v):
    s = q @ k.T / np.sqrt(q.shape[-1])
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    return p @ v


def attention_backward(q, k, v, dout):
    d = q.shape[-1]
    s = q @ k.T / np.sqrt(d)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    dv = p.T @ dout
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    ds = ds / np.sqrt(d)
    return {"q": ds @ k, "k": ds.T @ q, "v": dv}


class Net:
    """Layers in lists; the backward pass uses what the forward pass left in attributes."""

    def __init__(self, sizes):
        self.weights = [rng.normal(size=(m, n)) for n, m in zip(sizes[:-1], sizes[1:])]
        self.biases = [rng.normal(size=(m, 1)) for m in sizes[1:]]

    def feed(self, x):
        self.activations, self.zs = [x], []
        for w, b in zip(self.weights, self.biases):
            self.zs.append(w @ self.activations[-1] + b)
            self.activations.append(sigmoid(self.zs[-1]))
        return self.activations[-1]

    def cost(self, x, y):
        return 0.5 * np.sum((self.feed(x) - y) ** 2) / x.shape[1]

    def backprop(self, x, y):
        self.feed(x)
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        s = self.activations[-1]
        delta = (s - y) * s * (1 - s) / x.shape[1]
        nabla_b[-1] = delta.sum(axis=1, keepdims=True)
        nabla_w[-1] = delta @ self.activations[-2].T
        for n in range(2, len(self.weights) + 1):
            a = self.activations[-n]
            delta = (self.weights[-n + 1].T @ delta) * a * (1 - a)
            nabla_b[-n] = delta.sum(axis=1, keepdims=True)
            nabla_w[-n] = delta @ self.activations[-n - 1].T
        return {"weights": nabla_w, "biases": nabla_b}


net = Net([2, 3, 3, 2])

X = {"x": rng.normal(size=(2, 3)), "prev_h": rng.normal(size=(2, 2))}
X |= {"prev_c": rng.normal(size=(2, 2)), "Wx": rng.normal(size=(3, 8))}
X |= {"Wh": rng.normal(size=(2, 8)), "b": rng.normal(size=8)}
QKV = {n: rng.normal(size=(3, 3)) for n in "qkv"}

CASES = [
    Case(
        "char_rnn",
        "char_loss",
        "char_grads",
        {"inputs": [0, 2, 3], "targets": [2, 3, 1], "hprev": rng.normal(size=(3, 1))},
        (
            ("no gradient through time", "dy) + dhnext", "dy)"),
            ("= for +=", "dWxh += np.dot(dhraw, xs[t].T)", "dWxh = np.dot(dhraw, xs[t].T)"),
            ("stale state", "np.dot(dhraw, hs[t - 1].T)", "np.dot(dhraw, hs[t].T)"),
            ("transpose missing", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)"),
            ("slope of h, not of tanh", "(1 - hs[t] * hs[t])", "(1 - hs[t]) * hs[t]"),
        ),
        options={"wrt": ("Wxh", "Whh", "Why", "bh", "by")},
    ),
    Case(
        "lstm_step",
        "lstm_loss",
        "lstm_grads",
        X,
        (
            ("cell path missing", "dc = dnext_c + dnext_h * o * (1 - t**2)", "dc = dnext_c * 1"),
            ("gates swapped", "dc * g, dc * prev_c", "dc * prev_c, dc * g"),
            ("slope of tanh", "dg * (1 - g**2)", "dg * g * (1 - g)"),
            ("next for previous", "dc * f, x.T", "dc * i, x.T"),
        ),
        within="lstm_step_backward",
    ),
    Case(
        "gru",
        "gru",
        "gru_backward",
        {
            "x": rng.normal(size=2),
            "h": rng.normal(size=3),
            "Wz": rng.normal(size=(3, 5)),
            "Wr": rng.normal(size=(3, 5)),
            "Wn": rng.normal(size=(3, 5)),
        },
        (
            ("missing term", "dout * (1 - z) + dxrh[k:] * r + dxh[k:]", "dout * (1 - z) + dxh[k:]"),
            ("wrong sign", "(n - h) * z", "(h - n) * z"),
            ("other input", "np.outer(dn, xrh)", "np.outer(dn, xh)"),
        ),
    ),
    Case(
        "attention",
        "attention",
        "attention_backward",
        QKV,
        (
            ("scale forgotten", "ds = ds / np.sqrt(d)", "ds = ds * 1"),
            ("transpose missing", "ds.T @ q", "ds @ q"),
            ("sum over the wrong axis", "(dp * p).sum(axis=-1", "(dp * p).sum(axis=0"),
            ("transpose missing in v", "p.T @ dout", "p @ dout"),
            ("sum without weights", "(dp * p).sum(", "dp.mean("),
        ),
    ),
    Case(
        "net_of_lists",
        "net.cost",
        "net.backprop",
        {"x": rng.normal(size=(2, 4)), "y": rng.random((2, 4))},
        (
            ("one layer off", "self.weights[-n + 1].T @ delta", "self.weights[-n].T @ delta"),
            (
                "transpose missing",
                "(self.weights[-n + 1].T @ delta)",
                "(self.weights[-n + 1] @ delta)",
            ),
            (
                "activation off by one",
                "delta @ self.activations[-n - 1].T",
                "delta @ self.activations[-n].T",
            ),
            ("slope missing", "delta = (s - y) * s * (1 - s) / x", "delta = (s - y) / x"),
            ("N forgotten", "(1 - s) / x.shape[1]", "(1 - s)"),
        ),
    ),
]
