# mypy: ignore-errors
"""Matrix factorization as an estimator of scikit-learn's kind; see MatrixFactorization."""

import sys

import numpy as np

from . import _C

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError:  # without scikit-learn: its parameters, and no more

    class BaseEstimator:
        """Parameters by name."""

        @classmethod
        def _names(cls):
            import inspect

            return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

        def get_params(self, deep=True):
            return {name: getattr(self, name) for name in self._names()}

        def set_params(self, **params):
            for name, value in params.items():
                if name not in self._names():
                    raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}")
                setattr(self, name, value)
            return self

    class ClassNamePrefixFeaturesOutMixin:
        pass

    class TransformerMixin:
        pass

    def check_is_fitted(estimator):
        if not hasattr(estimator, "components_"):
            raise AttributeError(f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' first.")


class _Progress:
    """A line that is written again and again: in a notebook below the cell, else on a terminal."""

    def __init__(self):
        self._handle = self._shown = None

    def __call__(self, iteration, loss):
        text = f"iteration {iteration}, loss {loss:.6g}"
        if "ipykernel" in sys.modules:
            from IPython.display import display

            data = {"text/plain": text}
            if self._handle is None:
                self._handle = display(data, raw=True, display_id=True)
            else:
                self._handle.update(data, raw=True)
        elif sys.stderr.isatty():
            self._shown = True
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)

    def close(self):
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class _Entries:
    """Known elements: positions of rows and columns, values, and how many rows and columns there are."""

    def __init__(self, rows, columns, values, shape, weights=None):
        self.shape = shape
        keys = rows.astype(np.int64) * shape[1] + columns
        unique, places = np.unique(keys, return_inverse=True)
        if weights is None and len(unique) < len(keys):
            weights = np.ones_like(values)
        if len(unique) < len(keys):  # several values of an element: their mean, which weighs as much as all
            sums = np.bincount(places, weights)
            values = (np.bincount(places, weights * values) / sums).astype(values.dtype)
            weights = sums.astype(values.dtype)
            rows, columns = unique // shape[1], unique % shape[1]
        self.rows, self.columns, self.values, self.weights = rows, columns, values, weights

    def tensors(self):
        as_longs = [_C.tensor(np.ascontiguousarray(x, dtype=np.int64)) for x in (self.rows, self.columns)]
        return (*as_longs, _C.tensor(np.ascontiguousarray(self.values)))


class MatrixFactorization(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """X is nearly C F: by alternating least squares or gradient descent, with elements missing or not.

    fit() takes an array (n, m), in which NaN are missing elements; a sparse matrix of scipy, whose stored elements are
    what is known; or a table of pandas with columns for rows, columns and values (and weights), whose first two are ids.

    Parameters
    ----------
    rank : int or None
        Columns of C, at most. None: 10 for whole arrays, or min(n, m) where that is less; of entries what suits their number.
    l2 : float or None
        Weight of |C|^2 + |F|^2. None: 0 for whole arrays; of entries what follows from the data.
    biases : bool
        Of entries: a mean, and a bias for each row and column.
    loss : "squared", "absolute", "huber", "logistic" or "poisson"
        Of entries.
    implicit : None, "als" or "bpr"
        Values are counts of what was seen; elements that are not there count, too.
    nonnegative : bool
        C and F stay at or above zero.
    center : "none", "global" or "columns"
        Of whole arrays: the mean to take off first.
    optimizer : str
        "auto" and "als": alternating least squares; others ("sgd", "adam", "lbfgs" ...) descend.
    max_iter, tol, lr, seed : numbers
        As of `factorize fit`; see docs/factorize.md.
    fits : int
        Of entries: the mean of so many fits from different seeds.
    verbose : bool
        Shows how far a fit is.

    Attributes
    ----------
    components_ : array (rank, m)
        F.
    row_factors_ : array (n, rank)
        C.
    mean_, row_bias_, column_bias_ : float, array (n), array (m)
        Of entries, with biases.
    loss_curve_ : list of float
    n_iter_ : int
    stop_ : str
        "converged", "iterations", "diverged" ...
    rmse_ : float
    row_ids_, column_ids_ : arrays
        Of a table: what its rows and columns are called, by position.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import MatrixFactorization
    >>> X = np.outer([1.0, 2.0, 3.0], [1.0, 0.5, 2.0, 4.0])
    >>> model = MatrixFactorization(rank=1).fit(X)
    >>> np.allclose(model.inverse_transform(model.transform(X)), X, atol=1e-6)
    True
    """

    def __init__(self, rank=None, *, l2=None, l2_bias=None, l2_by_count=False, biases=True, loss="squared", huber_delta=1.0,
                 implicit=None, alpha=1.0, nonnegative=False, center="none", optimizer="auto", lr=None, max_iter=10000, tol=None,
                 fits=1, seed=0, verbose=False):
        self.rank = rank
        self.l2 = l2
        self.l2_bias = l2_bias
        self.l2_by_count = l2_by_count
        self.biases = biases
        self.loss = loss
        self.huber_delta = huber_delta
        self.implicit = implicit
        self.alpha = alpha
        self.nonnegative = nonnegative
        self.center = center
        self.optimizer = optimizer
        self.lr = lr
        self.max_iter = max_iter
        self.tol = tol
        self.fits = fits
        self.seed = seed
        self.verbose = verbose

    # --- What comes in ---

    def _more_tags(self):
        return {"allow_nan": True, "requires_positive_X": self.nonnegative, "preserves_dtype": [np.float64, np.float32]}

    @staticmethod
    def _is_table(X):
        """Whether X is a table of entries: two columns of ids, then numbers."""
        dtypes = getattr(X, "dtypes", None)
        if dtypes is None or not hasattr(X, "columns") or X.shape[1] not in (3, 4):
            return False
        return all(kind != "f" for kind in (np.dtype(d).kind if isinstance(d, np.dtype) else "O" for d in list(dtypes)[:2]))

    def _array(self, X, reset):
        if hasattr(self, "_validate_data"):
            return self._validate_data(X, dtype=[np.float64, np.float32], force_all_finite="allow-nan", accept_sparse="csr", reset=reset)
        X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead")
        if reset:
            self.n_features_in_ = X.shape[1]
        elif X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input.")
        return X

    def _ids(self, X, which, known):
        """Positions of the ids in a column of a table; of new ones -1."""
        import pandas

        column = X.iloc[:, which]
        if known is None:
            codes, known = pandas.factorize(column, sort=True)
            return codes, np.asarray(known)
        return pandas.Index(known).get_indexer(column), known

    def _read(self, X, reset):
        """A whole array, or entries."""
        if self._is_table(X):
            rows, row_ids = self._ids(X, 0, None)
            columns, column_ids = self._ids(X, 1, None if reset else self.column_ids_)
            if reset:
                self.row_ids_, self.column_ids_ = row_ids, column_ids
                self.n_features_in_ = len(column_ids)
            elif (columns < 0).any():
                raise ValueError("there are columns that the model has not seen")
            numbers = [X.iloc[:, i].to_numpy(dtype=np.float64) for i in range(2, X.shape[1])]
            entries = _Entries(rows, columns, numbers[0], (len(row_ids), len(column_ids)), numbers[1] if len(numbers) > 1 else None)
            entries.row_ids = row_ids
            return entries
        X = self._array(X, reset)
        if hasattr(X, "tocoo"):
            coo = X.tocoo()
            return _Entries(coo.row, coo.col, coo.data, coo.shape)
        if np.isnan(X).any() or self.implicit is not None:
            rows, columns = np.nonzero(~np.isnan(X) if self.implicit is None else X)
            if len(rows) == 0:
                raise ValueError("all elements are missing")
            return _Entries(rows, columns, X[rows, columns], X.shape)
        return X

    def _options(self, dtype):
        return {
            "rank": self.rank, "l2": self.l2, "l2_bias": self.l2_bias, "l2_by_count": self.l2_by_count, "biases": self.biases,
            "loss": self.loss, "huber_delta": self.huber_delta, "feedback": self.implicit or "explicit", "alpha": self.alpha,
            "nonnegative": self.nonnegative, "center": self.center, "optimizer": self.optimizer, "lr": self.lr,
            "iterations": self.max_iter, "tolerance": self.tol, "fits": self.fits, "seed": self.seed, "dtype": dtype,
        }

    # --- Fitting ---

    def fit(self, X, y=None):
        """Factorizes X. Ctrl-C keeps what was best so far, and raises KeyboardInterrupt."""
        data = self._read(X, reset=True)
        is_whole = isinstance(data, np.ndarray)
        values = data if is_whole else data.values
        if self.nonnegative and values.size and values.min() < 0:
            raise ValueError("Negative values in data passed to MatrixFactorization (nonnegative=True)")
        options = self._options(_C.float32 if values.dtype == np.float32 else _C.float64)
        if is_whole and self.rank is None:
            options["rank"] = min(10, *data.shape)
        progress = _Progress() if self.verbose else None
        try:
            if is_whole:
                result = _C._factorize_matrix(_C.tensor(np.ascontiguousarray(data)), options, progress)
            else:
                weights = None if data.weights is None else _C.tensor(data.weights)
                result = _C._factorize_entries(*data.tensors(), weights, *data.shape, options, progress)
        except RuntimeError as error:
            raise ValueError(str(error)) from None
        finally:
            if progress is not None:
                progress.close()
        self._take(result)
        if not is_whole:
            self._seen = (data.rows, data.columns)
        if result.stop == "interrupted":
            raise KeyboardInterrupt
        return self

    def _take(self, result):
        self._result = result
        self._sums = None
        self.row_factors_ = result.C.numpy()
        self.components_ = result.F.numpy()
        self.mean_ = result.mean
        self.row_bias_ = None if result.row_bias is None else result.row_bias.numpy()
        self.column_bias_ = None if result.column_bias is None else result.column_bias.numpy()
        self.offset_ = None if result.offset is None else result.offset.numpy()
        self.loss_curve_ = list(result.losses)
        self.n_iter_ = max(1, result.iterations)
        self.stop_ = result.stop
        self.rmse_ = result.rmse
        self.fit_seconds_ = result.seconds

    def partial_fit(self, X, y=None):
        """Takes more rows of an array into F, and forgets them.

        F minimizes what it leaves of all rows so far, with the factors that each had when it came (Mairal, Bach, Ponce and
        Sapiro, Online Dictionary Learning for Sparse Coding, ICML 2009). The first call is a fit.
        """
        if not hasattr(self, "components_"):
            return self.fit(X, y)
        if self.implicit is not None or self.loss != "squared" or self.nonnegative or self.row_bias_ is not None:
            raise ValueError("partial_fit is for whole arrays, the squared loss, and factors of any sign")
        X = self._array(X, reset=False)
        if hasattr(X, "tocoo") or np.isnan(X).any():
            raise ValueError("partial_fit is for whole arrays")
        offset = 0 if self.offset_ is None else self.offset_
        C, F = self.row_factors_, self.components_
        if self._sums is None:
            self._sums = [C.T @ C, C.T @ (C @ F)]
        factors = self._solve(X)[0]
        gram, products = self._sums
        gram += factors.T @ factors
        products += factors.T @ (X - offset)
        ridge = (self.l2 or 0) + 1e-10 * max(np.trace(gram), 1e-30)
        self.components_ = np.linalg.solve(gram + ridge * np.eye(len(gram)), products).astype(F.dtype)
        self._result.F.copy_(_C.tensor(self.components_))
        self.components_ = self._result.F.numpy()
        self.row_factors_ = factors
        return self

    # --- Using it ---

    def _solve(self, data):
        entries = data
        if isinstance(data, np.ndarray):
            rows, columns = np.indices(data.shape)
            entries = _Entries(rows.ravel(), columns.ravel(), data.ravel(), data.shape)
        dtype = self.components_.dtype
        rows, columns, values = entries.tensors()
        factors, bias = self._result.solve(rows, columns, values.to(_C.float32 if dtype == np.float32 else _C.float64), entries.shape[0])
        return factors.numpy(), bias.numpy()

    def transform(self, X):
        """The factors of rows, (n, rank), from what is known of them; with biases, a last column of theirs."""
        check_is_fitted(self)
        data = self._read(X, reset=False)
        if isinstance(data, np.ndarray) and self.row_bias_ is None and not self.nonnegative:
            return self._project(data)
        factors, bias = self._solve(data)
        return factors if self.row_bias_ is None else np.column_stack([factors, bias])

    def _project(self, X):
        """Least squares with one matrix for all rows, as they are whole."""
        F = self.components_
        offset = 0 if self.offset_ is None else self.offset_
        gram = F @ F.T
        ridge = (self.l2 or 0) + 1e-7 * np.square(F).mean()
        gram[np.diag_indices_from(gram)] += ridge
        return np.linalg.solve(gram, F @ (X - offset).T).T.astype(F.dtype, copy=False)

    def fit_transform(self, X, y=None):
        """fit(X), and transform(X)."""
        return self.fit(X, y).transform(X)

    def inverse_transform(self, X):
        """From factors (and biases) to all elements, (n, m)."""
        check_is_fitted(self)
        rank = self.components_.shape[0]
        factors = np.ascontiguousarray(X[:, :rank], dtype=self.components_.dtype)
        bias = None if self.row_bias_ is None else _C.tensor(np.ascontiguousarray(X[:, rank], dtype=factors.dtype))
        return self._result.rows(_C.tensor(factors), bias).numpy()

    def predict_at(self, rows, columns):
        """Elements at pairs of rows of the fit and columns: ids where it was of a table, else positions."""
        check_is_fitted(self)
        return self._result.at(self._positions(rows, "row_ids_"), self._positions(columns, "column_ids_")).numpy()

    def _positions(self, given, ids):
        given = np.atleast_1d(given)
        if hasattr(self, ids):
            import pandas

            positions = pandas.Index(getattr(self, ids)).get_indexer(given)
            if (positions < 0).any():
                raise KeyError(f"{given[positions < 0][0]!r} was not in what was fitted")
            return _C.tensor(positions.astype(np.int64))
        return _C.tensor(np.asarray(given, dtype=np.int64))

    def recommend(self, rows, n=10):
        """Columns with the highest predictions for rows of the fit, without those that were known: (columns, scores), each (len(rows), n)."""
        check_is_fitted(self)
        positions = self._positions(rows, "row_ids_").numpy()
        scores = self._result.scores(_C.tensor(self.row_factors_[positions])).numpy()
        known_rows, known_columns = getattr(self, "_seen", (np.empty(0, int), np.empty(0, int)))
        for i, row in enumerate(positions):
            scores[i, known_columns[known_rows == row]] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :n]
        columns = np.asarray(self.column_ids_)[best] if hasattr(self, "column_ids_") else best
        return columns, np.take_along_axis(scores, best, axis=1)

    def score(self, X, y=None):
        """Minus the mean squared error of what is known of X."""
        data = self._read(X, reset=False)
        restored = self.inverse_transform(self.transform(X))
        if isinstance(data, np.ndarray):
            return -float(np.mean((data - restored) ** 2))
        return -float(np.mean((data.values - restored[data.rows, data.columns]) ** 2))

    def plot(self, axes=None):
        """The loss by iteration, and how strong each factor is; needs matplotlib. Returns the axes."""
        import matplotlib.pyplot as plt

        check_is_fitted(self)
        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
        axes[0].plot(self.loss_curve_)
        axes[0].set(xlabel="iteration", ylabel="loss", yscale="log" if min(self.loss_curve_, default=0) > 0 else "linear")
        strengths = np.linalg.norm(self.row_factors_, axis=0) * np.linalg.norm(self.components_, axis=1)
        axes[1].bar(range(1, len(strengths) + 1), np.sort(strengths)[::-1])
        axes[1].set(xlabel="factor", ylabel="strength")
        return axes

    @property
    def _n_features_out(self):
        return self.components_.shape[0] + (self.row_bias_ is not None)

    def __getstate__(self):
        state = super().__getstate__() if hasattr(super(), "__getstate__") else dict(self.__dict__)
        state = dict(state)
        if "_result" in state:
            state["_result"] = state["_result"].__getstate__()
        return state

    def __setstate__(self, state):
        state = dict(state)
        if "_result" in state:
            state["_result"] = _C._Factorization(state["_result"])
        if hasattr(super(), "__setstate__"):
            super().__setstate__(state)
        else:
            self.__dict__.update(state)
