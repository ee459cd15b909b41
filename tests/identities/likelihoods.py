"""Regressions, likelihoods, divergences and the evidence bound of a variational autoencoder."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, logsumexp

from tests.identities import Case

rng = np.random.default_rng(41)
X = rng.normal(size=(5, 3))
REG = {"w": rng.normal(size=3), "X": X, "y": rng.normal(size=5)}
CASES = []


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# -- regressions ---------------------------------------------------------------------------------


def ridge(w, X, y, lam):
    r = X @ w - y
    return 0.5 * np.dot(r, r) / len(y) + 0.5 * lam * np.dot(w, w)


def ridge_grad(w, X, y, lam):
    return (X.T @ X @ w - X.T @ y) / len(y) + lam * w


def mse_loop(w, X, y):
    total = 0.0
    for i in range(len(y)):
        pred = 0.0
        for j in range(len(w)):
            pred += X[i, j] * w[j]
        total += (pred - y[i]) ** 2
    return total / len(y)


def mse_loop_grad(w, X, y):
    grad = np.zeros(len(w))
    for i in range(len(y)):
        err = X[i] @ w - y[i]
        for j in range(len(w)):
            grad[j] += 2 * err * X[i, j]
    return grad / len(y)


theta = rng.normal(size=(3, 1))


def logistic(X, t):
    h = sigmoid(X.dot(theta))
    return np.mean(-t * np.log(h) - (1 - t) * np.log(1 - h))


def logistic_grad(X, t):
    h = sigmoid(X.dot(theta))
    return X.T.dot(h - t) / t.shape[0]


def logistic_hessian(w, X):
    p = sigmoid(X @ w)
    return X.T @ np.diag(p * (1 - p)) @ X


def logistic_cost(w, X):
    return np.logaddexp(0, X @ w).sum()


def poisson(w, X, k):
    eta = X @ w
    return np.sum(np.exp(eta) - k * eta + gammaln(k + 1)) / len(k)


def poisson_grad(w, X, k):
    return np.einsum("ni,n->i", X, np.exp(X @ w) - k) / len(k)


def poisson_offset(b, exposure, k):
    mu = exposure * np.exp(b)
    return np.sum(mu - k * np.log(mu))


def poisson_offset_grad(b, exposure, k):
    return np.sum(exposure) * np.exp(b) - np.sum(k)


def gamma_nll(a, b, x):
    return np.sum(gammaln(a) - a * np.log(b) - (a - 1) * np.log(x) + b * x)


def gamma_rate(a, b, x):
    return np.sum(x) - len(x) * a / b


CASES += [
    Case(
        "ridge",
        "ridge",
        "ridge_grad",
        {**REG, "lam": 0.25},
        (
            ("factor", "return (X", "return (1 + 1e-9) * (X"),
            ("term", " + lam * w", ""),
            ("features for samples", "len(y)", "len(w)"),
            ("argument", "lam * w", "lam * np.abs(w)"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "mse_loop",
        "mse_loop",
        "mse_loop_grad",
        REG,
        (
            ("factor", "2 * err", "2.000000002 * err"),
            ("term", " - y[i]", ""),
            ("i for j", "X[i, j]", "X[j, j]"),
            ("off by one", "range(len(y))", "range(1, len(y))"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "logistic_globals",
        "logistic",
        "logistic_grad",
        {"X": X, "t": np.array([[1.0], [0], [1], [0], [0]])},
        (
            ("factor", "X.T.dot", "(1 + 1e-9) * X.T.dot"),
            ("term", "h - t", "h"),
            ("features for samples", "t.shape[0]", "X.shape[1]"),
            ("slope too", "dot(h - t)", "dot((h - t) * h * (1 - h))"),
        ),
        options={"wrt": "theta", "shapes": {"X": "N n", "theta": "n 1", "t": "N 1"}},
    ),
    Case(
        "logistic_hessian",
        "logistic_cost",
        "logistic_hessian",
        {"w": REG["w"], "X": X},
        (
            ("factor", "return X.T", "return (1 + 1e-9) * X.T"),
            ("term", "p * (1 - p)", "p"),
            ("argument", "np.diag(p * (1 - p))", "np.diag(p * p)"),
        ),
        options={"wrt": "w", "mode": "hessian"},
    ),
    Case(
        "poisson",
        "poisson",
        "poisson_grad",
        {"w": REG["w"], "X": X, "k": np.array([2, 0, 1, 4, 1])},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", " - k)", ")"),
            ("argument", "np.exp(X @ w)", "np.exp(-X @ w)"),
            ("features for samples", "len(k)", "len(w)"),
        ),
        options={"wrt": "w"},
    ),
    Case(
        "poisson_offset",
        "poisson_offset",
        "poisson_offset_grad",
        {"b": 0.375, "exposure": rng.random(4) + 0.5, "k": np.array([1.0, 3, 0, 2])},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", " - np.sum(k)", ""),
            ("mean for sum", "np.sum(exposure)", "np.mean(exposure)"),
        ),
        options={"wrt": "b"},
    ),
    Case(
        "gamma_rate",
        "gamma_nll",
        "gamma_rate",
        {"a": 2.5, "b": 1.25, "x": rng.random(4) + 0.25},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("count dropped", "len(x) * a / b", "a / b"),
            ("inverse", "a / b", "b / a"),
        ),
        options={"wrt": "b"},
    ),
]


# -- Gaussians -----------------------------------------------------------------------------------

D = {"x": rng.normal(size=6)}


def gaussian(mu, log_sigma, x):
    z = (x - mu) * np.exp(-log_sigma)
    return -np.sum(-0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi))


def gaussian_grad(mu, log_sigma, x):
    z = (x - mu) * np.exp(-log_sigma)
    return -np.sum(z) * np.exp(-log_sigma), np.sum(1 - z**2)


def gaussian_sigma(mu, sigma, x):
    n = len(x)
    return n * np.log(sigma) + n / 2 * np.log(2 * np.pi) + np.sum((x - mu) ** 2) / (2 * sigma**2)


def gaussian_sigma_grad(mu, sigma, x):
    n, ss = x.size, ((x - mu) ** 2).sum()
    return (n * mu - x.sum()) / sigma**2, n / sigma - ss / sigma**3


def density(x, mu, s):
    return np.exp(-((x - mu) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))


def density_grad(x, mu, s, g):
    return -g * (x - mu) / s**2 * density(x, mu, s)


def heteroscedastic(mu, logvar, y):
    return 0.5 * np.mean(logvar + (y - mu) ** 2 / np.exp(logvar))


def heteroscedastic_grad(mu, logvar, y):
    inv = np.exp(-logvar)
    d = mu - y
    return d * inv / y.size, 0.5 * (1 - d**2 * inv) / y.size


def mvn_mean(mu, X, P):
    d = X - mu
    return 0.5 * np.einsum("ni,ij,nj->", d, P, d)


def mvn_mean_grad(mu, X, P):
    return -0.5 * (P + P.T) @ (X - mu).sum(axis=0)


def mvn_chol(d, L):
    z = np.linalg.solve(L, d)
    return 0.5 * z @ z + np.log(np.linalg.det(L))


def mvn_chol_grad(d, L):
    z = np.linalg.solve(L, d)
    a = np.linalg.solve(L.T, z)
    return a, np.linalg.inv(L).T - np.outer(a, z)


def mvn_cov(S, d):
    return 0.5 * np.linalg.slogdet(S)[1] + 0.5 * d @ np.linalg.solve(S, d)


def mvn_cov_grad(S, d):
    Si = np.linalg.inv(S)
    return 0.5 * Si.T - 0.5 * np.outer(Si.T @ d, Si @ d)


def student(mu, nu, x):
    return 0.5 * (nu + 1) * np.sum(np.log1p((x - mu) ** 2 / nu))


def student_mu(mu, nu, x):
    r = x - mu
    return -(nu + 1) * np.sum(r / (nu + r**2))


def laplace(b, x):
    return np.sum(np.abs(x)) / b + len(x) * np.log(2 * b)


def laplace_grad(b, x):
    return -np.abs(x).sum() / b**2 + len(x) / b


CASES += [
    Case(
        "gaussian",
        "gaussian",
        "gaussian_grad",
        {"mu": 0.25, "log_sigma": -0.5, **D},
        (
            ("factor", ", np.sum(1", ", (1 + 1e-9) * np.sum(1"),
            ("term", "1 - z**2", "-(z**2)"),
            ("argument", "np.sum(z) * np.exp(-log_sigma)", "np.sum(z) * np.exp(log_sigma)"),
            ("one for n", "np.sum(1 - z**2)", "1 - np.sum(z**2)"),
        ),
        options={"wrt": ("mu", "log_sigma")},
    ),
    Case(
        "gaussian_sigma",
        "gaussian_sigma",
        "gaussian_sigma_grad",
        {"mu": 0.25, "sigma": 1.5, **D},
        (
            ("factor", "n / sigma", "(1 + 1e-9) * n / sigma"),
            ("term", "n / sigma - ss", "-ss"),
            ("power", "sigma**3", "sigma**2"),
            ("count", "(n * mu", "(mu"),
        ),
        options={"wrt": ("mu", "sigma")},
    ),
    Case(
        "normal_density",
        "density",
        "density_grad",
        {**D, "mu": 0.25, "s": 1.5},
        (
            ("factor", "return -g", "return -(1 + 1e-9) * g"),
            ("term", " / s**2", ""),
            ("argument", "density(x, mu, s)", "density(mu, x, 1)"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "heteroscedastic",
        "heteroscedastic",
        "heteroscedastic_grad",
        {k: rng.normal(size=(3, 2)) for k in ("mu", "logvar", "y")},
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("term", "(1 - d**2", "(-(d**2)"),
            ("argument", "np.exp(-logvar)", "np.exp(logvar)"),
            (
                "mean over rows",
                "0.5 * (1 - d**2 * inv) / y.size",
                "0.5 * (1 - d**2 * inv) / len(y)",
            ),
        ),
        options={"wrt": ("mu", "logvar")},
    ),
    Case(
        "mvn_mean",
        "mvn_mean",
        "mvn_mean_grad",
        {"mu": rng.normal(size=3), "X": X, "P": rng.normal(size=(3, 3))},
        (
            ("factor", "-0.5 *", "-0.5000000005 *"),
            ("symmetric assumed", "(P + P.T)", "(2 * P)"),
            ("axis", "sum(axis=0)", "sum(axis=1)[: len(mu)]"),
            ("mean for sum", "sum(axis=0)", "mean(axis=0)"),
        ),
        options={"wrt": "mu"},
    ),
    Case(
        "mvn_chol",
        "mvn_chol",
        "mvn_chol_grad",
        {"d": rng.normal(size=3), "L": np.eye(3) * 2 + 0.25 * rng.normal(size=(3, 3))},
        (
            ("factor", "return a", "return (1 + 1e-9) * a"),
            ("term", "np.linalg.inv(L).T - ", "-"),
            ("transposed", "np.outer(a, z)", "np.outer(z, a)"),
            ("no transpose", "np.linalg.inv(L).T", "np.linalg.inv(L)"),
        ),
    ),
    Case(
        "mvn_cov",
        "mvn_cov",
        "mvn_cov_grad",
        {"S": np.array([[2.0, 0.25], [0.5, 1.5]]), "d": np.array([0.75, -1.25])},
        (
            ("factor", "return 0.5", "return 0.5000000005"),
            ("term", "0.5 * Si.T - ", "-"),
            ("transposed", "np.outer(Si.T @ d, Si @ d)", "np.outer(Si @ d, Si.T @ d)"),
        ),
        options={"wrt": "S"},
    ),
    Case(
        "student",
        "student",
        "student_mu",
        {"mu": 0.5, "nu": 3.0, **D},
        (
            ("factor", "-(nu + 1)", "-(1 + 1e-9) * (nu + 1)"),
            ("term", "(nu + 1)", "nu"),
            ("power", "r**2", "r"),
        ),
        options={"wrt": "mu"},
    ),
    Case(
        "laplace",
        "laplace",
        "laplace_grad",
        {"b": 1.25, **D},
        (
            ("factor", "+ len(x) / b", "+ (1 + 1e-9) * len(x) / b"),
            ("term", " + len(x) / b", ""),
            ("absolute value", "np.abs(x).sum()", "x.sum()"),
        ),
        options={"wrt": "b"},
    ),
]


# -- mixtures, divergences, the evidence bound -----------------------------------------------------


def mixture(mu, logits, x):
    logpi = logits - np.log(np.sum(np.exp(logits)))
    e = logpi[None, :] - 0.5 * (x[:, None] - mu[None, :]) ** 2
    return -np.sum(np.log(np.sum(np.exp(e), axis=1)))


def mixture_grad(mu, logits, x):
    pi = np.exp(logits) / np.sum(np.exp(logits))
    e = pi * np.exp(-0.5 * (x[:, None] - mu) ** 2)
    r = e / e.sum(axis=1, keepdims=True)
    dmu = -np.sum(r * (x[:, None] - mu), axis=0)
    dlogits = len(x) * pi - r.sum(axis=0)
    return dmu, dlogits


def mixture_weights(logw, L):
    return logsumexp(logw + L, axis=1).sum()


def mixture_weights_grad(logw, L):
    a = logw + L
    return np.exp(a - logsumexp(a, axis=1)[:, None]).sum(axis=0)


def kl_gauss(mu1, ls1, mu2, ls2):
    v1, v2 = np.exp(2 * ls1), np.exp(2 * ls2)
    return np.sum(ls2 - ls1 + (v1 + (mu1 - mu2) ** 2) / (2 * v2) - 0.5)


def kl_gauss_grad(mu1, ls1, mu2, ls2):
    v1, v2 = np.exp(2 * ls1), np.exp(2 * ls2)
    d = (mu1 - mu2) / v2
    return d, v1 / v2 - 1, -d, 1 - (v1 + (mu1 - mu2) ** 2) / v2


def kl_standard(mu, logvar):
    return -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1).mean()


def kl_standard_grad(mu, logvar):
    n = mu.shape[0]
    return mu / n, -0.5 * (1 - np.exp(logvar)) / n


def kl_categorical(a, b):
    p = np.exp(a) / np.exp(a).sum()
    q = np.exp(b) / np.exp(b).sum()
    return np.sum(p * (np.log(p) - np.log(q)))


def kl_categorical_grad(a, b):
    p = np.exp(a) / np.exp(a).sum()
    q = np.exp(b) / np.exp(b).sum()
    ratio = np.log(p / q)
    return p * (ratio - np.sum(p * ratio)), q - p


def kl_bernoulli(p, q):
    return np.sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))


def kl_bernoulli_grad(p, q):
    return np.log(p / q) - np.log((1 - p) / (1 - q)), (q - p) / (q * (1 - q))


def entropy(z):
    p = np.exp(z - np.log(np.sum(np.exp(z))))
    return -np.sum(p * np.log(p))


def entropy_grad(z):
    p = np.exp(z) / np.sum(np.exp(z))
    H = -np.sum(p * np.log(p))
    return -p * (np.log(p) + H)


W = rng.normal(size=(4, 2))
noise = rng.normal(size=(3, 2))


def elbo(mu, logvar, x):
    z = mu + np.exp(0.5 * logvar) * noise
    recon = 0.5 * np.sum((z @ W.T - x) ** 2)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return recon + kl


def elbo_grad(mu, logvar, x):
    std = np.exp(0.5 * logvar)
    z = mu + std * noise
    dz = (z @ W.T - x) @ W
    dmu = dz + mu
    dlogvar = 0.5 * dz * noise * std + 0.5 * (np.exp(logvar) - 1)
    return dmu, dlogvar


def score(theta, a, adv):
    logp = theta - np.log(np.exp(theta).sum(axis=1, keepdims=True))
    return -np.mean(logp[range(len(a)), a] * adv)


def score_grad(theta, a, adv):
    p = np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)
    onehot = np.zeros_like(p)
    onehot[range(len(a)), a] = 1
    return (p - onehot) * adv[:, None] / len(a)


def prob(*shape):
    return rng.random(shape) * 0.8 + 0.1


CASES += [
    Case(
        "mixture",
        "mixture",
        "mixture_grad",
        {"mu": rng.normal(size=2), "logits": rng.normal(size=2), "x": rng.normal(size=5)},
        (
            ("factor", "dmu = -np", "dmu = -(1 + 1e-9) * np"),
            ("term", "len(x) * pi - r", "-r"),
            ("axis", "e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)"),
        ),
        options={"wrt": ("mu", "logits")},
    ),
    Case(
        "mixture_weights",
        "mixture_weights",
        "mixture_weights_grad",
        {"logw": rng.normal(size=3), "L": rng.normal(size=(4, 3))},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", "a = logw + L", "a = 0 * logw + L"),
            ("mean for sum", ".sum(axis=0)", ".mean(axis=0)"),
        ),
        options={"wrt": "logw"},
    ),
    Case(
        "kl_gauss",
        "kl_gauss",
        "kl_gauss_grad",
        {k: rng.normal(size=3) for k in ("mu1", "ls1", "mu2", "ls2")},
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("term", "v1 / v2 - 1", "v1 / v2"),
            ("argument", "(mu1 - mu2) / v2", "(mu1 - mu2) / v1"),
        ),
    ),
    Case(
        "kl_standard",
        "kl_standard",
        "kl_standard_grad",
        {"mu": rng.normal(size=(4, 2)), "logvar": rng.normal(size=(4, 2))},
        (
            ("factor", "return mu / n", "return (1 + 1e-9) * mu / n"),
            ("term", "(1 - np.exp(logvar))", "(-np.exp(logvar))"),
            ("axis", "mu.shape[0]", "mu.shape[1]"),
        ),
    ),
    Case(
        "kl_categorical",
        "kl_categorical",
        "kl_categorical_grad",
        {"a": rng.normal(size=4), "b": rng.normal(size=4)},
        (
            ("factor", ", q - p", ", (1 + 1e-9) * (q - p)"),
            ("term", " - np.sum(p * ratio)", ""),
            ("argument", "np.sum(p * ratio)", "np.sum(q * ratio)"),
        ),
    ),
    Case(
        "kl_bernoulli",
        "kl_bernoulli",
        "kl_bernoulli_grad",
        {"p": prob(4), "q": prob(4)},
        (
            ("factor", "(q - p) /", "(1 + 1e-9) * (q - p) /"),
            ("term", " - np.log((1 - p) / (1 - q))", ""),
            ("argument", "(q * (1 - q))", "(q * (1 - p))"),
        ),
    ),
    Case(
        "entropy",
        "entropy",
        "entropy_grad",
        {"z": rng.normal(size=5)},
        (
            ("factor", "return -p", "return -(1 + 1e-9) * p"),
            ("term", " + H", ""),
            ("one for H", "np.log(p) + H", "np.log(p) + 1"),
        ),
    ),
    Case(
        "elbo",
        "elbo",
        "elbo_grad",
        {
            "mu": rng.normal(size=(3, 2)),
            "logvar": rng.normal(size=(3, 2)),
            "x": rng.normal(size=(3, 4)),
        },
        (
            ("factor", "dmu = dz", "dmu = (1 + 1e-9) * dz"),
            ("term", "dz + mu", "dz"),
            ("noise dropped", "dz * noise * std", "dz * std"),
            ("half", "0.5 * dz", "dz"),
        ),
        options={"wrt": ("mu", "logvar")},
    ),
    Case(
        "score_function",
        "score",
        "score_grad",
        {"theta": rng.normal(size=(4, 3)), "a": np.array([1, 0, 2, 1]), "adv": rng.normal(size=4)},
        (
            ("factor", "return (p", "return (1 + 1e-9) * (p"),
            ("term", " * adv[:, None]", ""),
            ("index", "range(len(a)), a", "range(len(a)), a - 1"),
        ),
        options={"wrt": "theta"},
    ),
]
