"""Cells and sequences: LSTM, GRU, the vanilla RNN through time; embeddings; layers of networks."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(83)
CASES = []


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# -- LSTM ----------------------------------------------------------------------------------------


def lstm(x, h, c, W, b):
    a = W @ np.concatenate([x, h]) + b
    n = len(h)
    i, f, o = sigmoid(a[:n]), sigmoid(a[n : 2 * n]), sigmoid(a[2 * n : 3 * n])
    g = np.tanh(a[3 * n :])
    c_next = f * c + i * g
    return o * np.tanh(c_next)


def lstm_grad(x, h, c, W, b, dh):
    n = len(h)
    xh = np.concatenate([x, h])
    ai, af, ao, ag = np.split(W @ xh + b, 4)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    t = np.tanh(f * c + i * g)
    dc = dh * o * (1 - t**2)
    da = np.concatenate(
        [dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)]
    )
    dxh = W.T @ da
    return dxh[:-n], dxh[-n:], dc * f, np.outer(da, xh), da


def lstm_gates(x, c, Wi, Wf, Wg):
    i, f, g = sigmoid(Wi @ x), sigmoid(Wf @ x), np.tanh(Wg @ x)
    return f * c + i * g


def lstm_gates_grad(x, c, Wi, Wf, Wg, dc):
    i, f, g = sigmoid(Wi @ x), sigmoid(Wf @ x), np.tanh(Wg @ x)
    zi = dc * g * i * (1 - i)
    zf = dc * c * f * (1 - f)
    zg = dc * i * (1 - g * g)
    return {
        "x": Wi.T @ zi + Wf.T @ zf + Wg.T @ zg,
        "c": dc * f,
        "Wi": np.outer(zi, x),
        "Wf": np.outer(zf, x),
        "Wg": np.outer(zg, x),
    }


# -- GRU -----------------------------------------------------------------------------------------


def gru(x, h, W, U, V):
    z = sigmoid(W[0] @ x + U[0] @ h)
    r = sigmoid(W[1] @ x + U[1] @ h)
    n = np.tanh(W[2] @ x + r * (V @ h))
    return (1 - z) * n + z * h


def gru_grad(x, h, W, U, V, dout):
    z = sigmoid(W[0] @ x + U[0] @ h)
    r = sigmoid(W[1] @ x + U[1] @ h)
    Vh = V @ h
    n = np.tanh(W[2] @ x + r * Vh)
    dn = dout * (1 - z) * (1 - n**2)
    dz = dout * (h - n) * z * (1 - z)
    dr = dn * Vh * r * (1 - r)
    dx = W[0].T @ dz + W[1].T @ dr + W[2].T @ dn
    dh = dout * z + U[0].T @ dz + U[1].T @ dr + V.T @ (dn * r)
    return dx, dh, np.outer(dn * r, h)


# -- through time --------------------------------------------------------------------------------


def rnn(xs, Wx, Wh, b):
    h = np.zeros(len(b))
    loss = 0.0
    for x in xs:
        h = np.tanh(Wx @ x + Wh @ h + b)
        loss += 0.5 * np.sum(h**2)
    return loss


def rnn_grad(xs, Wx, Wh, b):
    hs = [np.zeros(len(b))]
    for x in xs:
        hs.append(np.tanh(Wx @ x + Wh @ hs[-1] + b))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh = np.zeros_like(b)
    for t in reversed(range(len(xs))):
        dh = dh + hs[t + 1]
        da = dh * (1 - hs[t + 1] ** 2)
        dWx += np.outer(da, xs[t])
        dWh += np.outer(da, hs[t])
        db += da
        dh = Wh.T @ da
    return {"Wx": dWx, "Wh": dWh, "b": db}


def leaky_integrator(u, a):
    y, out = 0.0, 0.0
    for k in range(len(u)):
        y = a * y + (1 - a) * u[k]
        out += y**2
    return out


def leaky_integrator_grad(u, a):
    y, dy, da = 0.0, 0.0, 0.0
    for k in range(len(u)):
        dy = y + a * dy - u[k]
        y = a * y + (1 - a) * u[k]
        da += 2 * y * dy
    return da


def momentum(w0, grads, mu, lr):
    w, v = w0, 0.0
    for g in grads:
        v = mu * v - lr * g
        w = w + v
    return np.sum(w**2)


def momentum_grad(w0, grads, mu, lr):
    w, v, dv, dw = w0, 0.0, 0.0, 0.0
    for g in grads:
        dv = mu * dv - g
        v = mu * v - lr * g
        w, dw = w + v, dw + dv
    return np.sum(2 * w * dw)


# -- embeddings ----------------------------------------------------------------------------------


def embed(E, idx):
    return E[idx]


def embed_grad(E, idx, dout):
    dE = np.zeros_like(E)
    np.add.at(dE, idx, dout)
    return dE


def bag(E, idx, w):
    return w @ E[idx].mean(axis=0)


def bag_grad(E, idx, w):
    dE = np.zeros(E.shape)
    for k in idx:
        dE[k] += w / len(idx)
    return dE


def skip_gram(U, V, c, o, neg):
    s = U[o] @ V[c]
    n = U[neg] @ V[c]
    return np.logaddexp(0, -s) + np.sum(np.logaddexp(0, n))


def skip_gram_grad(U, V, c, o, neg):
    dU, dV = np.zeros_like(U), np.zeros_like(V)
    ds = sigmoid(U[o] @ V[c]) - 1
    dU[o] += ds * V[c]
    dV[c] += ds * U[o]
    for k in neg:
        dn = sigmoid(U[k] @ V[c])
        dU[k] += dn * V[c]
        dV[c] += dn * U[k]
    return dU, dV


# -- layers --------------------------------------------------------------------------------------


def two_layers(x, W1, b1, W2, b2):
    return np.maximum(0, x @ W1 + b1) @ W2 + b2


def two_layers_grad(x, W1, b1, W2, b2, dout):
    a = x @ W1 + b1
    h = np.maximum(0, a)
    dh = dout @ W2.T
    dh[a <= 0] = 0
    return dh @ W1.T, x.T @ dh, dh.sum(0), h.T @ dout, dout.sum(0)


params = {"W": [rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), rng.normal(size=(1, 3))]}


def deep(x, y):
    a = x
    for W in params["W"]:
        a = sigmoid(W @ a)
    return np.mean((a - y) ** 2)


def deep_grad(x, y):
    acts = [x]
    for W in params["W"]:
        acts.append(sigmoid(W @ acts[-1]))
    delta = 2 * (acts[-1] - y) / y.size
    grads = []
    for W, a_in, a_out in zip(params["W"][::-1], acts[-2::-1], acts[:0:-1]):
        delta = delta * a_out * (1 - a_out)
        grads.insert(0, delta @ a_in.T)
        delta = W.T @ delta
    return grads


def bilinear(x, y, A):
    return np.einsum("ni,kij,nj->nk", x, A, y)


def bilinear_grad(x, y, A, g):
    dx = np.einsum("nk,kij,nj->ni", g, A, y)
    dy = np.einsum("nk,kij,ni->nj", g, A, x)
    return dx, dy, np.einsum("nk,ni,nj->kij", g, x, y)


def linear(x, W, b):
    return x @ W.T + b


def linear_grad(x, W, b, g):
    return g @ W, g.T @ x, np.ones(len(g)) @ g


def highway(x, Wt, Wh):
    t = sigmoid(Wt @ x)
    return t * np.tanh(Wh @ x) + (1 - t) * x


def highway_grad(x, Wt, Wh, g):
    t, h = sigmoid(Wt @ x), np.tanh(Wh @ x)
    dt = g * (h - x) * t * (1 - t)
    dh = g * t * (1 - h**2)
    return Wt.T @ dt + Wh.T @ dh + g * (1 - t), np.outer(dt, x), np.outer(dh, x)


def glu(x, W, V):
    return (W @ x) * sigmoid(V @ x)


def glu_grad(x, W, V, g):
    a, s = W @ x, sigmoid(V @ x)
    da, db = g * s, g * a * s * (1 - s)
    return W.T @ da + V.T @ db, np.outer(da, x), np.outer(db, x)


def mat(*shape):
    return rng.normal(size=shape)


CASES += [
    Case(
        "lstm",
        "lstm",
        "lstm_grad",
        {"x": mat(2), "h": mat(2), "c": mat(2), "W": mat(8, 4), "b": mat(8)},
        (
            ("factor", "dc = dh", "dc = (1 + 1e-9) * dh"),
            ("term", "dh * o * (1 - t**2)", "dh * o"),
            ("gates swapped", "dc * g * i * (1 - i), dc * c", "dc * c * i * (1 - i), dc * g"),
            ("halves swapped", "dxh[:-n], dxh[-n:]", "dxh[-n:], dxh[:-n]"),
        ),
    ),
    Case(
        "lstm_gates",
        "lstm_gates",
        "lstm_gates_grad",
        {"x": mat(3), "c": mat(2), "Wi": mat(2, 3), "Wf": mat(2, 3), "Wg": mat(2, 3)},
        (
            ("factor", "zg = dc", "zg = (1 + 1e-9) * dc"),
            ("path dropped", " + Wg.T @ zg", ""),
            ("other input", "dc * c * f", "dc * g * f"),
            ("weights swapped", '"Wi": np.outer(zi, x)', '"Wi": np.outer(zf, x)'),
        ),
    ),
    Case(
        "gru",
        "gru",
        "gru_grad",
        {"x": mat(3), "h": mat(2), "W": mat(3, 2, 3), "U": mat(2, 2, 2), "V": mat(2, 2)},
        (
            ("factor", "dn = dout", "dn = (1 + 1e-9) * dout"),
            ("path dropped", "dout * z + U[0]", "U[0]"),
            ("transposed", "V.T @ (dn * r)", "V @ (dn * r)"),
            ("index", "U[1].T @ dr", "U[0].T @ dr"),
        ),
        options={"wrt": ("x", "h", "V"), "cotangent": "dout"},
    ),
    Case(
        "rnn",
        "rnn",
        "rnn_grad",
        {"xs": mat(3, 2), "Wx": mat(3, 2), "Wh": mat(3, 3), "b": mat(3)},
        (
            ("factor", "dh = Wh.T @ da", "dh = (1 + 1e-9) * Wh.T @ da"),
            ("path dropped", "dh = dh + hs[t + 1]", "dh = hs[t + 1] * 1"),
            ("step off", "np.outer(da, hs[t])", "np.outer(da, hs[t + 1])"),
            ("transposed", "Wh.T @ da", "Wh @ da"),
        ),
        options={"wrt": ("Wx", "Wh", "b")},
    ),
    Case(
        "leaky_integrator",
        "leaky_integrator",
        "leaky_integrator_grad",
        {"u": mat(4), "a": 0.75},
        (
            ("factor", "2 * y * dy", "2.000000002 * y * dy"),
            ("path dropped", "y + a * dy - u[k]", "y - u[k]"),
            ("step off", "- u[k]\n", "- u[k - 1]\n"),
        ),
        options={"wrt": "a"},
    ),
    Case(
        "momentum",
        "momentum",
        "momentum_grad",
        {"w0": mat(2), "grads": mat(3, 2), "mu": 0.875, "lr": 0.125},
        (
            ("factor", "2 * w * dw", "2.000000002 * w * dw"),
            ("path dropped", "mu * dv - g", "-g"),
            ("argument", "dw + dv", "dw + v"),
        ),
        options={"wrt": "lr"},
    ),
    Case(
        "embedding",
        "embed",
        "embed_grad",
        {"E": mat(5, 3), "idx": np.array([1, 3, 1, 0])},
        (
            ("factor", "dE, idx, dout", "dE, idx, (1 + 1e-9) * dout"),
            ("= for +=", "np.add.at(dE, idx, dout)", "dE[idx] = dout"),
            ("index", "dE, idx, dout", "dE, idx[::-1], dout"),
        ),
        options={"wrt": "E", "cotangent": "dout"},
    ),
    Case(
        "embedding_bag",
        "bag",
        "bag_grad",
        {"E": mat(4, 3), "idx": np.array([2, 0, 2]), "w": mat(3)},
        (
            ("factor", "w / len(idx)", "(1 + 1e-9) * w / len(idx)"),
            ("= for +=", "dE[k] += w", "dE[k] = w"),
            ("rows for words", "len(idx)", "len(E)"),
        ),
        options={"wrt": "E"},
    ),
    Case(
        "skip_gram",
        "skip_gram",
        "skip_gram_grad",
        {"U": mat(4, 2), "V": mat(4, 2), "c": 1, "o": 3, "neg": [0, 2, 2]},
        (
            ("factor", "ds = sigmoid", "ds = (1 + 1e-9) * sigmoid"),
            ("term", ") - 1", ")"),
            ("index", "dU[k] += dn * V[c]", "dU[k] += dn * V[k]"),
            ("= for +=", "dV[c] += dn * U[k]", "dV[c] = dn * U[k]"),
        ),
        options={"wrt": ("U", "V")},
    ),
    Case(
        "two_layers",
        "two_layers",
        "two_layers_grad",
        {"x": mat(5, 3), "W1": mat(3, 4), "b1": mat(4), "W2": mat(4, 2), "b2": mat(2)},
        (
            ("factor", "return dh", "return (1 + 1e-9) * dh"),
            ("mask dropped", "    dh[a <= 0] = 0\n", ""),
            ("at h for a", "h.T @ dout", "a.T @ dout"),
        ),
    ),
    Case(
        "network_of_lists",
        "deep",
        "deep_grad",
        {"x": mat(2, 4), "y": rng.random((1, 4))},
        (
            ("factor", "delta = W.T @ delta", "delta = (1 + 1e-9) * W.T @ delta"),
            ("term", "a_out * (1 - a_out)", "a_out"),
            ("at a for z", "a_out * (1 - a_out)", "sigmoid(a_out) * (1 - sigmoid(a_out))"),
            ("samples for entries", "y.size", "y.shape[0]"),
        ),
        options={"wrt": ('params["W"]',)},
    ),
    Case(
        "bilinear",
        "bilinear",
        "bilinear_grad",
        {"x": mat(4, 2), "y": mat(4, 2), "A": mat(3, 2, 2)},
        (
            ("factor", "return dx", "return (1 + 1e-9) * dx"),
            ("letters swapped", '"nk,ni,nj->kij"', '"nk,ni,nj->kji"'),
            ("term", "nk,kij,ni->nj", "nk,kji,ni->nj"),
        ),
    ),
    Case(
        "linear",
        "linear",
        "linear_grad",
        {"x": mat(3, 3), "W": mat(3, 3), "b": mat(3)},
        (
            ("factor", "return g @ W", "return (1 + 1e-9) * g @ W"),
            ("transposed", "g @ W", "g @ W.T"),
            ("axis", "np.ones(len(g)) @ g", "g @ np.ones(len(g))"),
            ("product swapped", "g.T @ x", "x.T @ g"),
        ),
    ),
    Case(
        "highway",
        "highway",
        "highway_grad",
        {"x": mat(3), "Wt": mat(3, 3), "Wh": mat(3, 3)},
        (
            ("factor", "dh = g", "dh = (1 + 1e-9) * g"),
            ("path dropped", " + g * (1 - t)", ""),
            ("argument", "np.outer(dt, x)", "np.outer(dh, x)"),
            ("transposed", "Wt.T @ dt", "Wt @ dt"),
        ),
    ),
    Case(
        "glu",
        "glu",
        "glu_grad",
        {"x": mat(3), "W": mat(2, 3), "V": mat(2, 3)},
        (
            ("factor", "da, db = g * s", "da, db = (1 + 1e-9) * g * s"),
            ("path dropped", " + V.T @ db", ""),
            ("weights swapped", "W.T @ da + V.T @ db", "V.T @ da + W.T @ db"),
        ),
    ),
]
