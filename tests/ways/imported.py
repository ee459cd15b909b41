"""Names come from elsewhere: from-imports, aliases, a helper module, an import in the function."""

import numpy
import numpy as N_
import numpy.linalg as la
from numpy import add, dot, exp, mean, sqrt, tanh
from numpy import sum as total
from numpy.linalg import norm as length

from . import activations as act
from . import weights
from .activations import ACTIVATIONS, sigmoid
from .activations import logistic as s
from .weights import W1, W2, b1, b2


def from_helper(x, y):
    return total((sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2) - y) ** 2) / x.shape[1]


def helper_alias(x, y):
    a = act.sigmoid(dot(weights.W1, x) + weights.b1)
    a = act.logistic(dot(weights.W2, a) + weights.b2)
    return total((a - y) ** 2) / x.shape[1]


def short_names(x, y):
    return length(s(W2 @ s(add(dot(W1, x), b1)) + b2) - y) ** 2 / len(x[0])


def whole_name(x, y, W, b):
    a = 1 / (1 + numpy.exp(-(W @ x + b)))
    return numpy.sum(numpy.square(a - y)) / numpy.shape(x)[1]


def other_alias(x, y, W, b):
    r = sigmoid(N_.matmul(W, x) + b) - y
    return la.norm(r, "fro") ** 2 / N_.size(x, 1)


def inside(x, y, W, b):
    import numpy as np
    from numpy import exp as power

    z = W @ x + b
    return np.sum((1 / (1 + power(-z)) - y) ** 2) / x.shape[1]


def by_name(x, y, W, b, name="swish"):
    return mean((ACTIVATIONS[name](W @ x + b) - y) ** 2)


def own_tanh(x, y, W, b):
    return mean((act.tanh(W @ x + b) - tanh(y)) ** 2)


def root_mean_square(x, y, W, b):
    return sqrt(mean((act.relu(W @ x + b) - y) ** 2)) + 0 * exp(0)
