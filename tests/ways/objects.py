"""The weights live in objects."""

import abc
from dataclasses import dataclass, field

import numpy as np

rng = np.random.default_rng(4)


def draw(*shape):
    return rng.normal(size=shape)


class Network:
    """Two layers, the classic."""

    def __init__(self, n0=2, n1=3, n2=5):
        self.W1 = draw(n1, n0)
        self.b1 = draw(n1, 1)
        self.W2 = draw(n2, n1)
        self.b2 = draw(n2, 1)

    @staticmethod
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward(self, x):
        h = self.sigmoid(self.W1 @ x + self.b1)
        return self.sigmoid(self.W2 @ h + self.b2)

    def loss(self, x, y):
        return np.sum((self.forward(x) - y) ** 2) / x.shape[1]

    def __call__(self, x, y):
        return self.loss(x, y)


class Decayed(Network):
    """A subclass that adds to its parent's loss."""

    rate = 0.05

    def loss(self, x, y):
        return super().loss(x, y) + self.rate * self.squares

    @property
    def squares(self):
        return np.sum(self.W1**2) + np.sum(self.W2**2)


class Module(abc.ABC):
    @abc.abstractmethod
    def forward(self, x): ...

    def __call__(self, x):
        return self.forward(x)


class Linear(Module):
    __slots__ = ("W", "b")

    def __init__(self, n_in, n_out):
        self.W = draw(n_in, n_out)
        self.b = draw(n_out)

    def forward(self, x):
        return x @ self.W + self.b


class Tanh(Module):
    def forward(self, x):
        return np.tanh(x)


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def loss(self, X, Y):
        return np.mean((self(X) - Y) ** 2)


@dataclass
class Dense:
    """A dataclass with an activation by name."""

    W: np.ndarray
    b: np.ndarray
    activation: str = "sigmoid"
    names: dict = field(default_factory=lambda: {"sigmoid": Network.sigmoid, "tanh": np.tanh})

    def loss(self, x, y):
        a = self.names[self.activation](self.W @ x + self.b)
        return np.sum((a - y) ** 2) / x.shape[1]


@dataclass(frozen=True)
class Weights:
    W: np.ndarray
    b: np.ndarray


weights = Weights(draw(3, 2), draw(3, 1))


def frozen_dataclass(x, y):
    return np.sum((Network.sigmoid(weights.W @ x + weights.b) - y) ** 2) / x.shape[1]


class Dynamic:
    """setattr and getattr with names made up on the way."""

    def __init__(self, widths=(2, 3, 5)):
        self.depth = len(widths) - 1
        for k in range(self.depth):
            setattr(self, f"W{k + 1}", draw(widths[k + 1], widths[k]))
            setattr(self, f"b{k + 1}", draw(widths[k + 1], 1))

    def loss(self, x, y):
        a = x
        for k in range(1, self.depth + 1):
            W, b = getattr(self, f"W{k}"), getattr(self, f"b{k}")
            a = Network.sigmoid(W @ a + b)
        return ((a - y) ** 2).sum() / x.shape[1]


class Parameters(dict):
    """A dict whose items are attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Trainer:
    """An object that holds a network that holds the weights."""

    def __init__(self):
        self.net = Network()
        self.p = Parameters(W=draw(3, 2), b=draw(3, 1))

    def cost(self, x, y):
        return self.net.loss(x, y)

    def attributes(self, x, y):
        p = self.p
        return np.sum((Network.sigmoid(p.W @ x + p.b) - y) ** 2) / x.shape[1]


class Quadratic:
    """Overloads an operator."""

    def __init__(self):
        self.A = draw(3, 3)

    def __matmul__(self, x):
        return self.A @ x

    def energy(self, x):
        return 0.5 * x @ (self @ x)

    @classmethod
    def half(cls, value):
        return 0.5 * value

    def halves(self, x):
        return self.half(x @ (self @ x))


network = Network()
decayed = Decayed()
sequential = Sequential(Linear(2, 3), Tanh(), Linear(3, 5))
dense = Dense(draw(3, 2), draw(3, 1))
dense_tanh = Dense(draw(3, 2), draw(3, 1), activation="tanh")
dynamic = Dynamic()
trainer = Trainer()
quadratic = Quadratic()


def through_module(x, y):
    return network.loss(x, y)
