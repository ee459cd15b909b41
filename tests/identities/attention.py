"""Attention: queries, keys and values, scaled, masked, in several heads; and additive scores."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(61)
Q, K, V = rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
QKV = {"q": Q, "k": K, "v": V}
CASES = []


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attend(q, k, v):
    return softmax(q @ k.T / np.sqrt(q.shape[1])) @ v


def d_scores(p, dp):
    return p * (dp - (p * dp).sum(axis=-1, keepdims=True))


def d_query(q, k, v, do):
    p = softmax(q @ k.T / np.sqrt(q.shape[1]))
    return d_scores(p, do @ v.T) @ k / np.sqrt(q.shape[1])


def d_key(q, k, v, do):
    p = softmax(q @ k.T / np.sqrt(q.shape[1]))
    return d_scores(p, do @ v.T).T @ q / np.sqrt(q.shape[1])


def d_value(q, k, v, do):
    p = softmax(q @ k.T / np.sqrt(q.shape[1]))
    return p.T @ do


def causal(q, k, v):
    n, d = q.shape
    s = q @ k.T / np.sqrt(d)
    e = np.exp(s) * np.tri(n)
    return (e / e.sum(axis=1, keepdims=True)) @ v


def causal_grad(q, k, v, do):
    n, d = q.shape
    s = q @ k.T / np.sqrt(d)
    e = np.exp(s) * np.tri(n)
    p = e / e.sum(axis=1, keepdims=True)
    dp = do @ v.T
    ds = p * (dp - np.sum(dp * p, axis=1, keepdims=True)) / np.sqrt(d)
    return ds @ k, ds.T @ q, p.T @ do


def causal_inf(q, k, v):
    s = q @ k.T
    s = np.where(np.tril(np.ones((len(q), len(q)))) > 0, s, -np.inf)
    return softmax(s) @ v


def causal_inf_grad(q, k, v, do):
    out = np.zeros_like(q)
    for i in range(len(q)):
        p = np.exp(k[: i + 1] @ q[i])
        p = p / p.sum()
        dp = v[: i + 1] @ do[i]
        out[i] = (p * (dp - p @ dp)) @ k[: i + 1]
    return out


Wq, Wk, Wv = (rng.normal(size=(3, 2)) for _ in range(3))


def self_attention(x):
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    return softmax(q @ k.T) @ v


def self_attention_grad(x, dout):
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    a = softmax(q @ k.T)
    dv = a.T @ dout
    da = dout @ v.T
    ds = a * da - a * np.sum(a * da, axis=1, keepdims=True)
    dq, dk = ds @ k, ds.T @ q
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return {"dWq": x.T @ dq, "dWk": x.T @ dk, "dWv": x.T @ dv, "x": dx}


def heads(q, k, v):
    s = np.einsum("hid,hjd->hij", q, k) / np.sqrt(q.shape[2])
    return np.einsum("hij,hjd->hid", softmax(s), v)


def heads_grad(q, k, v, g):
    scale = q.shape[2] ** -0.5
    p = softmax(np.einsum("hid,hjd->hij", q, k) * scale)
    dp = np.einsum("hid,hjd->hij", g, v)
    ds = scale * p * (dp - np.einsum("hij,hij->hi", p, dp)[:, :, None])
    dq = np.einsum("hij,hjd->hid", ds, k)
    dk = np.einsum("hij,hid->hjd", ds, q)
    return dq, dk, np.einsum("hij,hid->hjd", p, g)


def additive(h, s, w):
    e = np.tanh(h + s) @ w
    a = np.exp(e) / np.sum(np.exp(e))
    return a @ h


def additive_grad(h, s, w, g):
    t = np.tanh(h + s)
    e = np.exp(t @ w)
    a = e / e.sum()
    da = h @ g
    de = a * (da - a @ da)
    dt = np.outer(de, w) * (1 - t**2)
    return np.outer(a, g) + dt, dt.sum(axis=0), t.T @ de


SQUARE = {n: rng.normal(size=(4, 3)) for n in "qkv"}
CASES += [
    Case(
        "attention_query",
        "attend",
        "d_query",
        QKV,
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("scale dropped", "@ k / np.sqrt(q.shape[1])", "@ k"),
            ("rows for width", "@ k / np.sqrt(q.shape[1])", "@ k / np.sqrt(q.shape[0])"),
            ("scores for weights", "d_scores(p, do @ v.T)", "d_scores(q @ k.T, do @ v.T)"),
        ),
        options={"wrt": "q"},
    ),
    Case(
        "attention_key",
        "attend",
        "d_key",
        {"q": Q, "k": Q[::-1].copy(), "v": V[:4]},
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("term", "d_scores(p, do @ v.T).T", "(p * (do @ v.T)).T"),
            ("transposed", "d_scores(p, do @ v.T).T", "d_scores(p, do @ v.T)"),
        ),
        options={"wrt": "k"},
    ),
    Case(
        "attention_value",
        "attend",
        "d_value",
        SQUARE,
        (
            ("factor", "return p", "return (1 + 1e-9) * p"),
            ("scale dropped", "k.T / np.sqrt(q.shape[1])", "k.T"),
            ("transposed", "p.T", "p"),
        ),
        options={"wrt": "v"},
    ),
    Case(
        "attention_causal",
        "causal",
        "causal_grad",
        SQUARE,
        (
            ("factor", "return ds @ k", "return (1 + 1e-9) * ds @ k"),
            ("mask dropped", " * np.tri(n)", ""),
            ("transposed", "ds.T @ q", "ds @ q"),
            ("off by one", "np.tri(n)", "np.tri(n, k=1)"),
        ),
    ),
    Case(
        "attention_causal_rows",
        "causal_inf",
        "causal_inf_grad",
        SQUARE,
        (
            ("factor", "out[i] = (p", "out[i] = (1 + 1e-9) * (p"),
            ("term", " - p @ dp", ""),
            ("off by one", "v[: i + 1] @ do[i]", "v[: i + 1] @ do[i - 1]"),
        ),
        options={"wrt": "q"},
    ),
    Case(
        "self_attention",
        "self_attention",
        "self_attention_grad",
        {"x": rng.normal(size=(3, 3))},
        (
            ("factor", '"dWq": x.T', '"dWq": (1 + 1e-9) * x.T'),
            ("term", " + dv @ Wv.T", ""),
            ("transposed", "ds.T @ q", "ds @ q"),
            ("weights swapped", "dq @ Wq.T + dk @ Wk.T", "dq @ Wk.T + dk @ Wq.T"),
        ),
        options={"wrt": ("x", "Wq", "Wk", "Wv"), "cotangent": "dout"},
    ),
    Case(
        "attention_heads",
        "heads",
        "heads_grad",
        {n: rng.normal(size=(2, 3, 3)) for n in "qkv"},
        (
            ("factor", "ds = scale", "ds = (1 + 1e-9) * scale"),
            ("term", ' - np.einsum("hij,hij->hi", p, dp)[:, :, None]', ""),
            ("index", '"hij,hij->hi"', '"hij,hij->hj"'),
            (
                "letters swapped",
                'np.einsum("hij,hid->hjd", p, g)',
                'np.einsum("hji,hid->hjd", p, g)',
            ),
        ),
    ),
    Case(
        "attention_additive",
        "additive",
        "additive_grad",
        {"h": rng.normal(size=(3, 3)), "s": rng.normal(size=3), "w": rng.normal(size=3)},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", " - a @ da", ""),
            ("path dropped", "np.outer(a, g) + dt", "dt"),
            ("axis", "dt.sum(axis=0)", "dt.sum(axis=1)"),
        ),
    ),
]
