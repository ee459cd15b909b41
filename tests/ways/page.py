"""The page's style: weights are module globals, samples are columns, the cost is a norm squared."""

import numpy as np

rng = np.random.default_rng(1)

W1 = rng.normal(size=(3, 2))
b1 = rng.normal(size=(3, 1))
W2 = rng.normal(size=(5, 3))
b2 = rng.normal(size=(5, 1))


def sigma(z):
    return 1 / (1 + np.exp(-z))


def network_function(a0):
    z1 = W1 @ a0 + b1
    a1 = sigma(z1)
    z2 = W2 @ a1 + b2
    a2 = sigma(z2)
    return a0, z1, a1, z2, a2


def cost(x, y):
    return np.linalg.norm(network_function(x)[-1] - y) ** 2 / x.shape[1]


def cost_by_size(x, y):
    return np.linalg.norm(network_function(x)[-1] - y) ** 2 / x.size


def cost_by_len(x, y):
    a2 = network_function(x)[-1]
    return np.sum((a2 - y) ** 2) / len(x.T)


def cost_halved(x, y):
    *_, a2 = network_function(x)
    N = float(x.shape[-1])
    return 0.5 / N * ((a2 - y) ** 2).sum()


def output(x):
    return network_function(x)[4]
