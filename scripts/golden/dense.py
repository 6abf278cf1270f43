"""Formulas of robust inference written out with n x n matrices and no algebra."""

import numpy as np


def flags(random, n, shares):
    return (random.random((n, len(shares))) < shares).astype(float)


def written(columns):
    """Columns for JSON: flags as text, numbers as they are."""
    out = []
    for column in np.asarray(columns).T:
        if np.isin(column, [0, 1]).all():
            out.append("".join(str(int(v)) for v in column))
        else:
            out.append(column.tolist())
    return out


def kish(weights):
    """Weights that add up to the effective number of rows."""
    return weights * weights.sum() / (weights**2).sum()


def working(x, weights, scores):
    """Design, residuals, inverse and hat matrix of the weighted working regression."""
    root = np.sqrt(weights)
    r = root[:, None] * x
    e = np.divide(scores, root, out=np.zeros_like(scores), where=root > 0)
    bread = np.linalg.inv(r.T @ r)
    return r, e, bread, r @ bread @ r.T


def freedom(form, hat):
    left = np.eye(len(hat)) - hat
    product = left @ form @ left
    return np.trace(product) ** 2 / np.sum(product * product.T)


def hc3(x, weights, scores):
    return discounted(x, weights, scores, 1)


def hc2(x, weights, scores):
    return discounted(x, weights, scores, 0.5)


def discounted(x, weights, scores, power):
    r, e, bread, hat = working(x, weights, scores)
    h = np.diag(hat)
    pulls = r @ bread * ((1 - h) ** -power)[:, None]
    v = (pulls * e[:, None]).T @ (pulls * e[:, None])
    return v, [freedom(np.diag(pull**2), hat) for pull in pulls.T]


def hc1(x, weights, scores, n, k):
    r, e, bread, _ = working(x, weights, scores)
    return n / (n - k) * bread @ (r * (e**2)[:, None]).T @ r @ bread


def cr2(x, weights, scores, clusters):
    """Bell and McCaffrey's covariance, with the pseudo-inverse root of every block, and the
    degrees of freedom of its diagonal."""
    r, e, bread, hat = working(x, weights, scores)
    n = len(x)
    v = np.zeros_like(bread)
    forms = [np.zeros((n, n)) for _ in bread]
    for g in np.unique(clusters):
        rows = np.flatnonzero(clusters == g)
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - hat[np.ix_(rows, rows)])
        inverse = np.array([0 if k < 1e-9 else k**-0.5 for k in values])
        adjusted = (vectors * inverse) @ vectors.T @ r[rows] @ bread
        pull = adjusted.T @ e[rows]
        v += np.outer(pull, pull)
        for form, a in zip(forms, adjusted.T):
            form[np.ix_(rows, rows)] += np.outer(a, a)
    return v, [freedom(form, hat) for form in forms]


def dummies(codes, first=0):
    return (codes[:, None] == np.unique(codes)[None, first:]).astype(float)
