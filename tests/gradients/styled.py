"""Layers and backward passes in the call styles that people publish: with a cache, both in one
function, with a closure, in an object, with a context. Right as they stand.
"""
# People's own code stays as they write it.
# ruff: noqa: F841, RUF005, RUF059

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

rng = np.random.default_rng(231)


# -- pairs -----------------------------------------------------------------------------------------


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    mu = x.mean(axis=1, keepdims=True)
    std = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    xhat = (x - mu) / std
    return gamma * xhat + beta, {"xhat": xhat, "std": std, "gamma": gamma}


def layernorm_backward(dout, cache):
    xhat, std, gamma = cache["xhat"], cache["std"], cache["gamma"]
    dgamma = (dout * xhat).sum(axis=0)
    dbeta = dout.sum(axis=0)
    g = dout * gamma
    dx = (g - g.mean(axis=1, keepdims=True) - xhat * (g * xhat).mean(axis=1, keepdims=True)) / std
    return {"dx": dx, "dgamma": dgamma, "dbeta": dbeta}


def linear_forward(A_prev, W, b):
    Z = W @ A_prev + b
    return Z, (A_prev, W, b)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = dZ @ A_prev.T
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = W.T @ dZ
    return db, dW, dA_prev  # in an order of its own


def mlp_forward(X, params):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.tanh(z1)
    return a1 @ params["W2"], [X, a1, params]


def mlp_backward(dout, cache):
    X, a1, params = cache
    grads = {"W2": a1.T @ dout}
    dz1 = dout @ params["W2"].T * (1 - a1**2)
    grads["b1"] = dz1.sum(axis=0)
    grads["W1"] = X.T @ dz1
    return dz1 @ params["W1"].T, grads


@dataclass
class Saved:
    q: np.ndarray
    k: np.ndarray
    p: np.ndarray


def scores_forward(q, k):
    s = q @ k.T / np.sqrt(q.shape[-1])
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, Saved(q, k, p)


def scores_backward(residuals, g):
    p = residuals.p
    ds = p * (g - (g * p).sum(axis=-1, keepdims=True)) / np.sqrt(residuals.q.shape[-1])
    return ds @ residuals.k, ds.T @ residuals.q


class Grads(NamedTuple):
    dx: np.ndarray
    ds: np.ndarray


def scale_forward(x, s):
    return x * s


def scale_backward(dy, x, s):
    return Grads(dx=dy * s, ds=(dy * x).sum(axis=0))


def softmax_loss_forward(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(x.shape[0]), y]).mean(), (p, y)


def softmax_loss_backward(cache):
    p, y = cache
    dx = p.copy()
    dx[np.arange(dx.shape[0]), y] -= 1
    return dx / dx.shape[0]


def gated_forward(x, U, V):
    u = x @ U
    s = 1 / (1 + np.exp(-(x @ V)))
    return u * s, x, u, s


def gated_backward(dout, x, u, s, U, V):
    du = dout * s
    dv = dout * u * s * (1 - s)
    return du @ U.T + dv @ V.T, x.T @ du, x.T @ dv


W_shared = rng.normal(size=(3, 2))


def shared_forward(x):
    return np.tanh(x @ W_shared), x


def shared_backward(dout, x):
    h = np.tanh(x @ W_shared)
    dz = dout * (1 - h * h)
    return {"dW_shared": x.T @ dz, "dx": dz @ W_shared.T}


# -- both in one -----------------------------------------------------------------------------------


def svm_loss(W, X, y, reg):
    scores = X @ W
    correct = scores[np.arange(len(y)), y][:, None]
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(len(y)), y] = 0
    loss = margins.sum() / len(y) + reg * np.sum(W * W)
    mask = (margins > 0).astype(float)
    mask[np.arange(len(y)), y] = -mask.sum(axis=1)
    dW = X.T @ mask / len(y) + 2 * reg * W
    return loss, dW


def two_layer_loss(X, W1, b1, W2, y):
    h = np.maximum(0, X @ W1 + b1)
    r = h @ W2 - y
    loss = np.sum(r**2) / X.shape[0]
    dr = 2 * r / X.shape[0]
    grads = {}
    grads["W2"] = h.T @ dr
    dh = dr @ W2.T * (h > 0)
    grads["W1"] = X.T @ dh
    grads["b1"] = dh.sum(axis=0)
    return loss, grads


def ridge(w, X, y, lam):
    r = X @ w - y
    return {"loss": 0.5 * r @ r + 0.5 * lam * w @ w, "grads": {"w": X.T @ r + lam * w}}


def logistic(w, b, X, y):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    loss = np.mean(np.logaddexp(0, z) - y * z)
    dz = (p - y) / len(y)
    return loss, X.T @ dz, dz.sum()


def quadratic(x, A):
    return 0.5 * x @ A @ x, [0.5 * (A + A.T) @ x, 0.5 * np.outer(x, x)]


def tanh_vjp(x, w):
    y = np.tanh(x @ w)

    def backward(dy):
        dz = dy * (1 - y * y)
        return dz @ w.T, x.T @ dz

    return y, backward


def norm_vjp(x):
    n = np.sqrt(np.sum(x * x))
    return n, lambda g: (g * x / n,)


# -- objects ---------------------------------------------------------------------------------------


class Linear:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_in, n_out))
        self.b = rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class Affine:
    """As in a well known book: lists of parameters and of gradients, filled in place."""

    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.x = None

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, b = self.params
        dx = np.dot(dout, W.T)
        dW = np.dot(self.x.T, dout)
        db = np.sum(dout, axis=0)
        self.grads[0][...] = dW
        self.grads[1][...] = db
        return dx


class LayerDense:
    """Results in attributes, as in another: nothing is returned."""

    def __init__(self, n_inputs, n_neurons, weight_regularizer_l2=0.0):
        self.weights = 0.1 * rng.normal(size=(n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))
        self.l2 = weight_regularizer_l2

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Sigmoid:
    def __call__(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def grad(self, dout):
        return dout * self.out * (1 - self.out)


class BatchNorm:
    def __init__(self, dim):
        self.params = {"gamma": np.ones(dim), "beta": np.zeros(dim)}
        self.grads = {}
        self.running_mean = np.zeros(dim)

    def forward(self, x, train=True):
        mu = x.mean(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mu
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.xhat = (x - mu) / self.std
        return self.params["gamma"] * self.xhat + self.params["beta"]

    def backward(self, dout):
        self.grads["gamma"] = (dout * self.xhat).sum(axis=0)
        self.grads["beta"] = dout.sum(axis=0)
        g = dout * self.params["gamma"]
        return (g - g.mean(axis=0) - self.xhat * (g * self.xhat).mean(axis=0)) / self.std


class SoftmaxWithLoss:
    def __init__(self):
        self.loss = None
        self.y = None
        self.t = None

    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        self.loss = -np.sum(t * np.log(self.y)) / t.shape[0]
        return self.loss

    def backward(self, dout=1):
        dx = self.t.sum(axis=1, keepdims=True) * self.y - self.t
        return dout * dx / self.t.shape[0]


class Accumulating(Linear):
    """As in larger libraries: gradients add up until zero_grad."""

    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out)
        self.zero_grad()

    def zero_grad(self):
        self.W_grad = np.zeros_like(self.W)
        self.b_grad = np.zeros_like(self.b)

    def backward(self, dout):
        self.W_grad += self.x.T @ dout
        self.b_grad += dout.sum(axis=0)
        return dout @ self.W.T


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class RNNCell:
    """A cache that is handed on, and derivatives that are returned."""

    def __init__(self, n_x, n_h):
        self.Wx, self.Wh = rng.normal(size=(n_x, n_h)), rng.normal(size=(n_h, n_h))
        self.b = rng.normal(size=n_h)

    def step(self, x, h_prev):
        h = np.tanh(x @ self.Wx + h_prev @ self.Wh + self.b)
        return h, (x, h_prev, h)

    def step_back(self, dh, cache):
        x, h_prev, h = cache
        dz = dh * (1 - h**2)
        dx, dh_prev = dz @ self.Wx.T, dz @ self.Wh.T
        dWx, dWh, db = x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)
        return dx, dh_prev, dWx, dWh, db


# -- with a context --------------------------------------------------------------------------------


class Exp:
    @staticmethod
    def forward(ctx, x):
        result = np.exp(x)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


class LinearFunction:
    @staticmethod
    def forward(ctx, x, weight, bias=None, scale=2):
        ctx.save_for_backward(x, weight)
        ctx.scale = scale
        out = scale * (x @ weight.T)
        if bias is not None:
            out = out + bias
        return out

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        g = ctx.scale * grad_output
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = g @ weight
        if ctx.needs_input_grad[1]:
            grad_weight = g.T @ x
        return grad_x, grad_weight, grad_output.sum(axis=0), None
