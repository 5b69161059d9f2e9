#include <bindings/casters.h>

namespace wengert::python {
namespace {

using Dims = std::optional<Integers>;
using MaybeDtype = std::optional<ScalarType>;

// dim=None: all dimensions.
IntArrayRef all_or(const Dims& dims) { return dims ? IntArrayRef(dims->values) : IntArrayRef(); }

}  // namespace

void bind_reductions(Binder& binder) {
  const py::kw_only kw_only;
  const auto dim = "dim"_a;
  const auto keepdim = ("keepdim"_a = false);
  const auto any_dim = ("dim"_a = py::none()), any_dtype = ("dtype"_a = py::none());

  binder
      .both(
          "sum", [](const Tensor& input, MaybeDtype dtype) { return sum(input, dtype); }, kw_only, any_dtype)
      .both(
          "sum",
          [](const Tensor& input, const Dims& dims, bool keep, MaybeDtype dtype) {
            return sum(input, all_or(dims), keep, dtype);
          },
          dim, keepdim, kw_only, any_dtype)
      .both(
          "mean", [](const Tensor& input, MaybeDtype dtype) { return mean(input, dtype); }, kw_only, any_dtype)
      .both(
          "mean",
          [](const Tensor& input, const Dims& dims, bool keep, MaybeDtype dtype) {
            return mean(input, all_or(dims), keep, dtype);
          },
          dim, keepdim, kw_only, any_dtype)
      .both(
          "nansum", [](const Tensor& input, const Dims& dims, bool keep) { return nansum(input, all_or(dims), keep); },
          any_dim, keepdim)
      .both(
          "prod", [](const Tensor& input, MaybeDtype dtype) { return prod(input, dtype); }, kw_only, any_dtype)
      .both("prod", of<const Tensor&, int64_t, bool, MaybeDtype>(&prod), dim, keepdim, kw_only, any_dtype)
      .both("cumsum", of<const Tensor&, int64_t, MaybeDtype>(&cumsum), dim, kw_only, any_dtype)
      .both("cumprod", of<const Tensor&, int64_t, MaybeDtype>(&cumprod), dim, kw_only, any_dtype)
      .both("sum_to_size", sum_to_size, "size"_a);
  binder
      .both(
          "var", [](const Tensor& input, bool unbiased) { return var(input, unbiased); }, "unbiased"_a = true)
      .both(
          "var",
          [](const Tensor& input, const Dims& dims, bool unbiased, bool keep) {
            return var(input, all_or(dims), unbiased, keep);
          },
          dim, "unbiased"_a = true, keepdim)
      .both(
          "std", [](const Tensor& input, bool unbiased) { return wengert::std(input, unbiased); }, "unbiased"_a = true)
      .both(
          "std",
          [](const Tensor& input, const Dims& dims, bool unbiased, bool keep) {
            return wengert::std(input, all_or(dims), unbiased, keep);
          },
          dim, "unbiased"_a = true, keepdim)
      .both(
          "norm",
          [](const Tensor& input, std::optional<Scalar> p, const Dims& dims, bool keep) {
            return norm(input, p.value_or(Scalar(2)), all_or(dims), keep);
          },
          "p"_a = Scalar(2), any_dim, keepdim)
      .both(
          "norm",
          [](const Tensor& input, const std::string& p, const Dims& dims, bool keep) {
            if (p != "fro") throw Error("norm: of p that are words \"fro\" is known");
            return norm(input, Scalar(2), all_or(dims), keep);
          },
          "p"_a, any_dim, keepdim)
      .both("all", of<const Tensor&>(&all))
      .both("all", of<const Tensor&, int64_t, bool>(&all), dim, keepdim)
      .both("any", of<const Tensor&>(&any))
      .both("any", of<const Tensor&, int64_t, bool>(&any), dim, keepdim)
      .both(
          "count_nonzero",
          [](const Tensor& input, const Dims& dims) {
            return dims ? count_nonzero(input, dims->values) : count_nonzero(input);
          },
          any_dim)
      .both("softmax", softmax, dim, any_dtype)
      .both("log_softmax", log_softmax, dim, any_dtype)
      .both("logsumexp", logsumexp, dim, keepdim);

  for (const bool largest : {true, false}) {
    const char* name = largest ? "max" : "min";
    binder.both(name, [largest](const Tensor& input) { return largest ? max(input) : min(input); })
        .both(
            name,
            [largest, name](const Tensor& input, int64_t along, bool keep) {
              return TensorTuple(name, largest ? max(input, along, keep) : min(input, along, keep));
            },
            dim, keepdim)
        .both(
            name,
            [largest](const Tensor& input, const Tensor& other) {
              return largest ? max(input, other) : min(input, other);
            },
            "other"_a);
  }
  binder
      .both(
          "amax", [](const Tensor& input, const Dims& dims, bool keep) { return amax(input, all_or(dims), keep); },
          any_dim, keepdim)
      .both(
          "amin", [](const Tensor& input, const Dims& dims, bool keep) { return amin(input, all_or(dims), keep); },
          any_dim, keepdim)
      .both("argmax", argmax, any_dim, keepdim)
      .both("argmin", argmin, any_dim, keepdim)
      .both(
          "sort",
          [](const Tensor& input, int64_t along, bool descending, bool /*stable*/) {
            return TensorTuple("sort", sort(input, along, descending));
          },
          "dim"_a = -1, "descending"_a = false, kw_only, "stable"_a = false)
      .both("argsort", argsort, "dim"_a = -1, "descending"_a = false)
      .both(
          "topk",
          [](const Tensor& input, int64_t k, int64_t along, bool largest, bool sorted) {
            return TensorTuple("topk", topk(input, k, along, largest, sorted));
          },
          "k"_a, "dim"_a = -1, "largest"_a = true, "sorted"_a = true)
      .both("median", of<const Tensor&>(&median))
      .both(
          "median",
          [](const Tensor& input, int64_t along, bool keep) {
            return TensorTuple("median", median(input, along, keep));
          },
          dim, keepdim);
}

}  // namespace wengert::python
