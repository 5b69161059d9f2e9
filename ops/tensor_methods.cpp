#include <wengert/ops/linalg.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse.h>

// The methods of Tensor that are nothing but functions of the same name.

namespace wengert {

Tensor Tensor::relu() const { return wengert::relu(*this); }
Tensor Tensor::sigmoid() const { return wengert::sigmoid(*this); }

Tensor Tensor::add(const Tensor& other, Scalar alpha) const { return wengert::add(*this, other, alpha); }
Tensor Tensor::add(Scalar other, Scalar alpha) const { return wengert::add(*this, other, alpha); }
Tensor Tensor::sub(const Tensor& other, Scalar alpha) const { return wengert::sub(*this, other, alpha); }
Tensor Tensor::sub(Scalar other, Scalar alpha) const { return wengert::sub(*this, other, alpha); }
Tensor Tensor::mul(const Tensor& other) const { return wengert::mul(*this, other); }
Tensor Tensor::mul(Scalar other) const { return wengert::mul(*this, other); }
Tensor Tensor::div(const Tensor& other) const { return wengert::div(*this, other); }
Tensor Tensor::div(Scalar other) const { return wengert::div(*this, other); }

Tensor Tensor::where(const Tensor& condition, const Tensor& other) const {
  return wengert::where(condition, *this, other);
}
Tensor Tensor::maximum(const Tensor& other) const { return wengert::maximum(*this, other); }
Tensor Tensor::minimum(const Tensor& other) const { return wengert::minimum(*this, other); }
Tensor Tensor::clamp(std::optional<Scalar> min, std::optional<Scalar> max) const {
  return wengert::clamp(*this, min, max);
}
Tensor Tensor::clamp(const std::optional<Tensor>& min, const std::optional<Tensor>& max) const {
  return wengert::clamp(*this, min, max);
}
Tensor Tensor::clamp_min(Scalar min) const { return wengert::clamp_min(*this, min); }
Tensor Tensor::clamp_max(Scalar max) const { return wengert::clamp_max(*this, max); }
Tensor Tensor::masked_fill(const Tensor& mask, Scalar value) const { return wengert::masked_fill(*this, mask, value); }
Tensor Tensor::masked_fill(const Tensor& mask, const Tensor& value) const {
  return wengert::masked_fill(*this, mask, value);
}

Tensor Tensor::eq(const Tensor& other) const { return wengert::eq(*this, other); }
Tensor Tensor::eq(Scalar other) const { return wengert::eq(*this, other); }
Tensor Tensor::ne(const Tensor& other) const { return wengert::ne(*this, other); }
Tensor Tensor::ne(Scalar other) const { return wengert::ne(*this, other); }
Tensor Tensor::lt(const Tensor& other) const { return wengert::lt(*this, other); }
Tensor Tensor::lt(Scalar other) const { return wengert::lt(*this, other); }
Tensor Tensor::le(const Tensor& other) const { return wengert::le(*this, other); }
Tensor Tensor::le(Scalar other) const { return wengert::le(*this, other); }
Tensor Tensor::gt(const Tensor& other) const { return wengert::gt(*this, other); }
Tensor Tensor::gt(Scalar other) const { return wengert::gt(*this, other); }
Tensor Tensor::ge(const Tensor& other) const { return wengert::ge(*this, other); }
Tensor Tensor::ge(Scalar other) const { return wengert::ge(*this, other); }
Tensor Tensor::isfinite() const { return wengert::isfinite(*this); }
bool Tensor::equal(const Tensor& other) const { return wengert::equal(*this, other); }
Tensor Tensor::isclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
  return wengert::isclose(*this, other, rtol, atol, equal_nan);
}
bool Tensor::allclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
  return wengert::allclose(*this, other, rtol, atol, equal_nan);
}

Tensor Tensor::clone() const { return wengert::clone(*this); }

Tensor Tensor::exp() const { return wengert::exp(*this); }
Tensor Tensor::expm1() const { return wengert::expm1(*this); }
Tensor Tensor::log() const { return wengert::log(*this); }
Tensor Tensor::log1p() const { return wengert::log1p(*this); }
Tensor Tensor::log2() const { return wengert::log2(*this); }
Tensor Tensor::log10() const { return wengert::log10(*this); }
Tensor Tensor::sin() const { return wengert::sin(*this); }
Tensor Tensor::cos() const { return wengert::cos(*this); }
Tensor Tensor::tan() const { return wengert::tan(*this); }
Tensor Tensor::asin() const { return wengert::asin(*this); }
Tensor Tensor::acos() const { return wengert::acos(*this); }
Tensor Tensor::atan() const { return wengert::atan(*this); }
Tensor Tensor::sinh() const { return wengert::sinh(*this); }
Tensor Tensor::cosh() const { return wengert::cosh(*this); }
Tensor Tensor::tanh() const { return wengert::tanh(*this); }

Tensor Tensor::operator!() const { return wengert::logical_not(*this); }
Tensor Tensor::operator~() const { return wengert::bitwise_not(*this); }
Tensor Tensor::logical_and(const Tensor& other) const { return wengert::logical_and(*this, other); }
Tensor Tensor::logical_or(const Tensor& other) const { return wengert::logical_or(*this, other); }
Tensor Tensor::logical_xor(const Tensor& other) const { return wengert::logical_xor(*this, other); }
Tensor Tensor::logical_not() const { return wengert::logical_not(*this); }
Tensor Tensor::bitwise_and(const Tensor& other) const { return wengert::bitwise_and(*this, other); }
Tensor Tensor::bitwise_or(const Tensor& other) const { return wengert::bitwise_or(*this, other); }
Tensor Tensor::bitwise_xor(const Tensor& other) const { return wengert::bitwise_xor(*this, other); }
Tensor Tensor::bitwise_not() const { return wengert::bitwise_not(*this); }
Tensor Tensor::isnan() const { return wengert::isnan(*this); }
Tensor Tensor::isinf() const { return wengert::isinf(*this); }

Tensor Tensor::operator-() const { return wengert::neg(*this); }
Tensor Tensor::neg() const { return wengert::neg(*this); }
Tensor Tensor::abs() const { return wengert::abs(*this); }
Tensor Tensor::sign() const { return wengert::sign(*this); }
Tensor Tensor::square() const { return wengert::square(*this); }
Tensor Tensor::sqrt() const { return wengert::sqrt(*this); }
Tensor Tensor::rsqrt() const { return wengert::rsqrt(*this); }
Tensor Tensor::reciprocal() const { return wengert::reciprocal(*this); }
Tensor Tensor::floor() const { return wengert::floor(*this); }
Tensor Tensor::ceil() const { return wengert::ceil(*this); }
Tensor Tensor::trunc() const { return wengert::trunc(*this); }
Tensor Tensor::round() const { return wengert::round(*this); }
Tensor Tensor::frac() const { return wengert::frac(*this); }

Tensor Tensor::pow(Scalar exponent) const { return wengert::pow(*this, exponent); }
Tensor Tensor::pow(const Tensor& exponent) const { return wengert::pow(*this, exponent); }

Tensor Tensor::bernoulli() const { return wengert::bernoulli(*this); }

Tensor Tensor::div(const Tensor& other, std::optional<std::string_view> rounding_mode) const {
  return wengert::div(*this, other, rounding_mode);
}
Tensor Tensor::div(Scalar other, std::optional<std::string_view> rounding_mode) const {
  return wengert::div(*this, other, rounding_mode);
}
Tensor Tensor::floor_divide(const Tensor& other) const { return wengert::floor_divide(*this, other); }
Tensor Tensor::floor_divide(Scalar other) const { return wengert::floor_divide(*this, other); }
Tensor Tensor::remainder(const Tensor& other) const { return wengert::remainder(*this, other); }
Tensor Tensor::remainder(Scalar other) const { return wengert::remainder(*this, other); }
Tensor Tensor::fmod(const Tensor& other) const { return wengert::fmod(*this, other); }
Tensor Tensor::fmod(Scalar other) const { return wengert::fmod(*this, other); }
Tensor Tensor::atan2(const Tensor& other) const { return wengert::atan2(*this, other); }
Tensor Tensor::lerp(const Tensor& end, Scalar weight) const { return wengert::lerp(*this, end, weight); }
Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const { return wengert::lerp(*this, end, weight); }
Tensor Tensor::xlogy(const Tensor& other) const { return wengert::xlogy(*this, other); }
Tensor Tensor::addcmul(const Tensor& a, const Tensor& b, Scalar value) const {
  return wengert::addcmul(*this, a, b, value);
}
Tensor Tensor::addcdiv(const Tensor& a, const Tensor& b, Scalar value) const {
  return wengert::addcdiv(*this, a, b, value);
}

Tensor Tensor::erf() const { return wengert::erf(*this); }
Tensor Tensor::erfc() const { return wengert::erfc(*this); }
Tensor Tensor::lgamma() const { return wengert::lgamma(*this); }
Tensor Tensor::digamma() const { return wengert::digamma(*this); }
Tensor Tensor::polygamma(int64_t n) const { return wengert::polygamma(n, *this); }

Tensor Tensor::max() const { return wengert::max(*this); }
Tensor Tensor::max(const Tensor& other) const { return wengert::maximum(*this, other); }
std::tuple<Tensor, Tensor> Tensor::max(int64_t dim, bool keepdim) const { return wengert::max(*this, dim, keepdim); }
Tensor Tensor::min() const { return wengert::min(*this); }
Tensor Tensor::min(const Tensor& other) const { return wengert::minimum(*this, other); }
std::tuple<Tensor, Tensor> Tensor::min(int64_t dim, bool keepdim) const { return wengert::min(*this, dim, keepdim); }
Tensor Tensor::amax(IntArrayRef dims, bool keepdim) const { return wengert::amax(*this, dims, keepdim); }
Tensor Tensor::amin(IntArrayRef dims, bool keepdim) const { return wengert::amin(*this, dims, keepdim); }
Tensor Tensor::argmax(std::optional<int64_t> dim, bool keepdim) const { return wengert::argmax(*this, dim, keepdim); }
Tensor Tensor::argmin(std::optional<int64_t> dim, bool keepdim) const { return wengert::argmin(*this, dim, keepdim); }
std::tuple<Tensor, Tensor> Tensor::sort(int64_t dim, bool descending) const {
  return wengert::sort(*this, dim, descending);
}
Tensor Tensor::argsort(int64_t dim, bool descending) const { return wengert::argsort(*this, dim, descending); }
std::tuple<Tensor, Tensor> Tensor::topk(int64_t k, int64_t dim, bool largest, bool sorted) const {
  return wengert::topk(*this, k, dim, largest, sorted);
}
Tensor Tensor::median() const { return wengert::median(*this); }
std::tuple<Tensor, Tensor> Tensor::median(int64_t dim, bool keepdim) const {
  return wengert::median(*this, dim, keepdim);
}

Tensor Tensor::sum(std::optional<ScalarType> dtype) const { return wengert::sum(*this, dtype); }
Tensor Tensor::sum(IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype) const {
  return wengert::sum(*this, dims, keepdim, dtype);
}
Tensor Tensor::mean(std::optional<ScalarType> dtype) const { return wengert::mean(*this, dtype); }
Tensor Tensor::mean(IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype) const {
  return wengert::mean(*this, dims, keepdim, dtype);
}
Tensor Tensor::sum_to_size(IntArrayRef sizes) const { return wengert::sum_to_size(*this, sizes); }

Tensor Tensor::cumsum(int64_t dim, std::optional<ScalarType> dtype) const { return wengert::cumsum(*this, dim, dtype); }
Tensor Tensor::cumprod(int64_t dim, std::optional<ScalarType> dtype) const {
  return wengert::cumprod(*this, dim, dtype);
}
Tensor Tensor::prod(std::optional<ScalarType> dtype) const { return wengert::prod(*this, dtype); }
Tensor Tensor::prod(int64_t dim, bool keepdim, std::optional<ScalarType> dtype) const {
  return wengert::prod(*this, dim, keepdim, dtype);
}

Tensor Tensor::softmax(int64_t dim, std::optional<ScalarType> dtype) const {
  return wengert::softmax(*this, dim, dtype);
}
Tensor Tensor::log_softmax(int64_t dim, std::optional<ScalarType> dtype) const {
  return wengert::log_softmax(*this, dim, dtype);
}
Tensor Tensor::logsumexp(IntArrayRef dims, bool keepdim) const { return wengert::logsumexp(*this, dims, keepdim); }

Tensor Tensor::var(bool unbiased) const { return wengert::var(*this, unbiased); }
Tensor Tensor::var(IntArrayRef dims, bool unbiased, bool keepdim) const {
  return wengert::var(*this, dims, unbiased, keepdim);
}
Tensor Tensor::std(bool unbiased) const { return wengert::std(*this, unbiased); }
Tensor Tensor::std(IntArrayRef dims, bool unbiased, bool keepdim) const {
  return wengert::std(*this, dims, unbiased, keepdim);
}
Tensor Tensor::norm(Scalar p) const { return wengert::norm(*this, p); }
Tensor Tensor::norm(std::optional<Scalar> p, IntArrayRef dims, bool keepdim) const {
  return wengert::norm(*this, p, dims, keepdim);
}
Tensor Tensor::all() const { return wengert::all(*this); }
Tensor Tensor::all(int64_t dim, bool keepdim) const { return wengert::all(*this, dim, keepdim); }
Tensor Tensor::any() const { return wengert::any(*this); }
Tensor Tensor::any(int64_t dim, bool keepdim) const { return wengert::any(*this, dim, keepdim); }
Tensor Tensor::count_nonzero(std::optional<int64_t> dim) const { return wengert::count_nonzero(*this, dim); }
Tensor Tensor::count_nonzero(IntArrayRef dims) const { return wengert::count_nonzero(*this, dims); }
Tensor Tensor::nansum() const { return wengert::nansum(*this); }
Tensor Tensor::nansum(IntArrayRef dims, bool keepdim) const { return wengert::nansum(*this, dims, keepdim); }

std::vector<Tensor> Tensor::split(int64_t size, int64_t dim) const { return wengert::split(*this, size, dim); }
std::vector<Tensor> Tensor::split(IntArrayRef sizes, int64_t dim) const { return wengert::split(*this, sizes, dim); }
std::vector<Tensor> Tensor::split_with_sizes(IntArrayRef sizes, int64_t dim) const {
  return wengert::split(*this, sizes, dim);
}
std::vector<Tensor> Tensor::chunk(int64_t chunks, int64_t dim) const { return wengert::chunk(*this, chunks, dim); }
std::vector<Tensor> Tensor::unbind(int64_t dim) const { return wengert::unbind(*this, dim); }

Tensor Tensor::flatten(int64_t start_dim, int64_t end_dim) const { return wengert::flatten(*this, start_dim, end_dim); }
Tensor Tensor::movedim(IntArrayRef source, IntArrayRef destination) const {
  return wengert::movedim(*this, source, destination);
}
Tensor Tensor::movedim(int64_t source, int64_t destination) const {
  return wengert::movedim(*this, source, destination);
}
Tensor Tensor::repeat(IntArrayRef counts) const { return wengert::repeat(*this, counts); }
Tensor Tensor::tile(IntArrayRef counts) const { return wengert::tile(*this, counts); }
Tensor Tensor::repeat_interleave(int64_t repeats, std::optional<int64_t> dim) const {
  return wengert::repeat_interleave(*this, repeats, dim);
}
Tensor Tensor::repeat_interleave(const Tensor& repeats, std::optional<int64_t> dim) const {
  return wengert::repeat_interleave(*this, repeats, dim);
}
Tensor Tensor::flip(IntArrayRef dims) const { return wengert::flip(*this, dims); }
Tensor Tensor::roll(IntArrayRef shifts, IntArrayRef dims) const { return wengert::roll(*this, shifts, dims); }
Tensor Tensor::tril(int64_t diagonal) const { return wengert::tril(*this, diagonal); }
Tensor Tensor::triu(int64_t diagonal) const { return wengert::triu(*this, diagonal); }
Tensor Tensor::diagonal(int64_t offset, int64_t dim1, int64_t dim2) const {
  return wengert::diagonal(*this, offset, dim1, dim2);
}
Tensor Tensor::diag(int64_t offset) const { return wengert::diag(*this, offset); }
Tensor Tensor::trace() const { return wengert::trace(*this); }

Tensor Tensor::view(IntArrayRef sizes) const { return wengert::view(*this, sizes); }
Tensor Tensor::reshape(IntArrayRef sizes) const { return wengert::reshape(*this, sizes); }
Tensor Tensor::t() const { return wengert::t(*this); }
Tensor Tensor::transpose(int64_t dim0, int64_t dim1) const { return wengert::transpose(*this, dim0, dim1); }
Tensor Tensor::permute(IntArrayRef dims) const { return wengert::permute(*this, dims); }
Tensor Tensor::expand(IntArrayRef sizes, bool) const { return wengert::expand(*this, sizes); }
Tensor Tensor::squeeze() const { return wengert::squeeze(*this); }
Tensor Tensor::squeeze(int64_t dim) const { return wengert::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(int64_t dim) const { return wengert::unsqueeze(*this, dim); }
Tensor Tensor::select(int64_t dim, int64_t index) const { return wengert::select(*this, dim, index); }
Tensor Tensor::narrow(int64_t dim, int64_t start, int64_t length) const {
  return wengert::narrow(*this, dim, start, length);
}
Tensor Tensor::slice(int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) const {
  return wengert::slice(*this, dim, start, end, step);
}
Tensor Tensor::as_strided(IntArrayRef sizes, IntArrayRef strides, std::optional<int64_t> storage_offset) const {
  return wengert::as_strided(*this, sizes, strides, storage_offset);
}

Tensor Tensor::nonzero() const { return wengert::nonzero(*this); }
Tensor Tensor::gather(int64_t dim, const Tensor& index, bool sparse_grad) const {
  return wengert::gather(*this, dim, index, sparse_grad);
}
Tensor Tensor::scatter(int64_t dim, const Tensor& index, const Tensor& source) const {
  return wengert::scatter(*this, dim, index, source);
}
Tensor Tensor::scatter(int64_t dim, const Tensor& index, Scalar value) const {
  return wengert::scatter(*this, dim, index, value);
}
Tensor Tensor::scatter_add(int64_t dim, const Tensor& index, const Tensor& source) const {
  return wengert::scatter_add(*this, dim, index, source);
}
Tensor Tensor::index_select(int64_t dim, const Tensor& index) const { return wengert::index_select(*this, dim, index); }
Tensor Tensor::index_add(int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) const {
  return wengert::index_add(*this, dim, index, source, alpha);
}
Tensor Tensor::index(TensorList indices) const { return wengert::index(*this, indices); }
Tensor Tensor::index_put(TensorList indices, const Tensor& values, bool accumulate) const {
  return wengert::index_put(*this, indices, values, accumulate);
}
Tensor Tensor::masked_select(const Tensor& mask) const { return wengert::masked_select(*this, mask); }
Tensor Tensor::take(const Tensor& index) const { return wengert::take(*this, index); }

Tensor Tensor::outer(const Tensor& other) const { return wengert::outer(*this, other); }
Tensor Tensor::addmm(const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) const {
  return wengert::addmm(*this, a, b, beta, alpha);
}
Tensor Tensor::addmv(const Tensor& a, const Tensor& v, Scalar beta, Scalar alpha) const {
  return wengert::addmv(*this, a, v, beta, alpha);
}
Tensor Tensor::baddbmm(const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) const {
  return wengert::baddbmm(*this, a, b, beta, alpha);
}
Tensor Tensor::kron(const Tensor& other) const { return wengert::kron(*this, other); }

Tensor Tensor::logdet() const { return wengert::logdet(*this); }
std::tuple<Tensor, Tensor, Tensor> Tensor::svd(bool some, bool compute_uv) const {
  return wengert::svd(*this, some, compute_uv);
}
std::tuple<Tensor, Tensor> Tensor::qr(bool some) const { return wengert::qr(*this, some); }

Tensor Tensor::mm(const Tensor& mat2) const { return wengert::mm(*this, mat2); }
Tensor Tensor::bmm(const Tensor& mat2) const { return wengert::bmm(*this, mat2); }
Tensor Tensor::mv(const Tensor& vec) const { return wengert::mv(*this, vec); }
Tensor Tensor::dot(const Tensor& other) const { return wengert::dot(*this, other); }
Tensor Tensor::matmul(const Tensor& other) const { return wengert::matmul(*this, other); }

}  // namespace wengert
