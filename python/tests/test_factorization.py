"""MatrixFactorization: an estimator of scikit-learn's kind, on all that it takes."""

import copy
import os
import pickle
import signal
import threading

import numpy as np
import pytest

from wengert import MatrixFactorization

RNG = np.random.default_rng(0)
PLANTED = RNG.normal(size=(120, 4)) @ RNG.normal(size=(4, 50))
NOISE = 0.01
MATRIX = PLANTED + NOISE * RNG.normal(size=PLANTED.shape)
HOLED = np.where(RNG.random(MATRIX.shape) < 0.4, np.nan, MATRIX)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def test_is_an_estimator_of_scikit_learn():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    checks.check_estimator(MatrixFactorization())
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), MatrixFactorization(rank=4)).fit(MATRIX)
    assert model.transform(MATRIX).shape == (120, 4)
    assert list(model.get_feature_names_out())[0] == "matrixfactorization0"


def test_whole_arrays():
    model = MatrixFactorization(rank=4).fit(MATRIX)
    best = np.linalg.svd(MATRIX, compute_uv=False)
    assert rms(model.inverse_transform(model.transform(MATRIX)) - MATRIX) < 1.001 * np.sqrt(np.sum(best[4:] ** 2) / MATRIX.size)
    assert model.components_.shape == (4, 50) and model.row_factors_.shape == (120, 4) and model.stop_ == "converged"
    assert np.allclose(model.transform(MATRIX), model.row_factors_, atol=1e-4)
    assert MatrixFactorization(rank=2).fit(MATRIX.astype(np.float32)).components_.dtype == np.float32
    centered = MatrixFactorization(rank=4, center="columns").fit(MATRIX + 100)
    assert rms(centered.inverse_transform(centered.transform(MATRIX + 100)) - MATRIX - 100) < 2 * NOISE
    assert MatrixFactorization(rank=3, nonnegative=True, max_iter=20).fit(np.abs(MATRIX)).components_.min() >= 0
    descended = MatrixFactorization(rank=4, optimizer="lbfgs", max_iter=200).fit(MATRIX)
    assert descended.rmse_ < 1.1 * NOISE


def test_holes():
    model = MatrixFactorization(rank=4).fit(HOLED)
    restored = model.inverse_transform(model.transform(HOLED))
    assert rms((restored - PLANTED)[np.isnan(HOLED)]) < NOISE
    assert model.transform(HOLED).shape == (120, 5)  # with the bias
    assert MatrixFactorization(rank=4, biases=False).fit(HOLED).transform(HOLED).shape == (120, 4)
    new = np.full((1, 50), np.nan)
    new[0, ::3] = PLANTED[7, ::3]
    assert rms(model.inverse_transform(model.transform(new))[0] - PLANTED[7]) < 2 * NOISE
    with pytest.raises(ValueError, match="all elements are missing"):
        MatrixFactorization().fit(np.full((3, 3), np.nan))


def test_sparse_matrices_and_tables_are_the_same_entries():
    sparse = pytest.importorskip("scipy.sparse")
    pandas = pytest.importorskip("pandas")
    rows, columns = np.nonzero(~np.isnan(HOLED))
    values = HOLED[rows, columns]
    of_array = MatrixFactorization(rank=4).fit(HOLED)
    of_sparse = MatrixFactorization(rank=4).fit(sparse.coo_matrix((values, (rows, columns)), HOLED.shape))
    assert np.array_equal(of_array.components_, of_sparse.components_)
    table = pandas.DataFrame({"user": [f"u{i:03}" for i in rows], "film": columns + 1000, "stars": values})
    of_table = MatrixFactorization(rank=4).fit(table.sample(frac=1, random_state=0))
    assert np.allclose(of_table.components_, of_array.components_)
    assert of_table.row_ids_[3] == "u003" and of_table.column_ids_[0] == 1000
    assert abs(of_table.predict_at("u007", 1005)[0] - PLANTED[7, 5]) < 3 * NOISE
    with pytest.raises(KeyError):
        of_table.predict_at("nobody", 1005)
    columns, scores = of_table.recommend(["u003", "u007"], 5)
    assert columns.shape == (2, 5) and (np.diff(scores) <= 0).all()
    seen = set(table[table.user == "u003"].film)
    assert not seen & set(columns[0])
    twice = pandas.concat([table, table])  # each entry weighs as two
    assert np.allclose(MatrixFactorization(rank=4).fit(twice).predict_at("u007", 1005), PLANTED[7, 5], atol=3 * NOISE)


def test_implicit_feedback():
    sparse = pytest.importorskip("scipy.sparse")
    taste = RNG.random((80, 1)) < 0.5
    likes = RNG.random((80, 40)) < np.where(taste == (np.arange(40) < 20), 0.5, 0.03)
    for implicit in ("als", "bpr"):
        model = MatrixFactorization(rank=4, implicit=implicit, biases=False, max_iter=30).fit(sparse.csr_matrix(likes.astype(float)))
        columns, _ = model.recommend(np.arange(80), 5)
        assert np.mean((columns < 20) == taste) > 0.9


def test_partial_fit():
    model = MatrixFactorization(rank=4)
    for begin in range(0, 120, 30):
        model.partial_fit(MATRIX[begin : begin + 30])
    assert rms(model.inverse_transform(model.transform(MATRIX)) - MATRIX) < 1.1 * NOISE


def test_copies_and_parameters():
    model = MatrixFactorization(rank=4, l2=0.1).fit(HOLED)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other.transform(HOLED[:5]), model.transform(HOLED[:5]))
        assert other.get_params() == model.get_params()
    with pytest.raises(ValueError, match="optimizer 'fast' is not known"):
        MatrixFactorization(optimizer="fast").fit(MATRIX)
    with pytest.raises(ValueError, match="rank"):
        MatrixFactorization(rank=51).fit(MATRIX)


def test_ctrl_c_keeps_what_was_best():
    model = MatrixFactorization(rank=4, optimizer="sgd", lr=1e-4, max_iter=100_000_000, tol=0)
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(MATRIX)
    assert model.stop_ == "interrupted" and model.n_iter_ > 1 and model.components_.shape == (4, 50)


def test_progress_is_shown(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    MatrixFactorization(rank=4, optimizer="sgd", max_iter=20000, tol=0, verbose=True).fit(MATRIX)
    assert "iteration" in capsys.readouterr().err


def test_plot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = MatrixFactorization(rank=4).fit(MATRIX).plot()
    assert len(axes) == 2 and axes[1].get_ylabel() == "strength"
