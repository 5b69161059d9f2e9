#include <factorize/fit/alternation.h>
#include <factorize/fit/checkpoint.h>
#include <factorize/model/entry_losses.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::SparseMatrix;
using wengert::Tensor;

constexpr int64_t kBlock = 64;  // factors that are solved for at once
constexpr double kNarrower = 0.7;
constexpr double kUnitNoise = 0.5;
constexpr double kImplicitL2 = 30;

Tensor orthogonal(const Tensor& x) { return std::get<0>(wengert::linalg_qr(x)); }

}  // namespace

Alternation::Alternation(const Entries& entries, const FitOptions& options)
    : entries_(entries),
      options_(options),
      weights_(entries.weights),
      rows_{entries.pattern, 0, 1, 0, {}, {}, {}},
      columns_{entries.pattern.t(), 1, 0, 1, {}, {}, {}},
      is_implicit_(options.feedback == Feedback::kAls),
      is_quadratic_(options.loss == LossKind::kSquared && !is_implicit_),
      has_biases_(options.biases && !options.nonnegative && !is_implicit_),
      noise_(kUnitNoise) {
  const NoGradGuard no_grad;
  if (has_biases_) mean_ = starting_mean(entries, options.loss);
  target_ = is_implicit_ ? wengert::ones_like(entries.values) : entries.values - (is_quadratic_ ? mean_ : 0);
  if (is_implicit_) weights_ = entries.values * options.alpha;
  ones_ = wengert::ones_like(entries.values);
  if (has_scale()) begin_noise();
  for (Side* side : {&rows_, &columns_}) {
    side->values = wengert::zeros({side->pattern.rows(), 2}, target_.options());
    side->values.select(1, side->ones).fill_(1);
    side->variances = wengert::zeros_like(side->values);
    side->penalties = wengert::full({2}, penalty_of_bias(5 * noise_ / variance()), target_.options());
  }
}

void Alternation::begin_noise() {
  const Tensor& values = entries_.values;
  // What rounding leaves of values that a model explains wholly.
  const double digit = values.dtype() == wengert::kDouble ? std::numeric_limits<double>::epsilon()
                                                          : static_cast<double>(std::numeric_limits<float>::epsilon());
  const double size = std::sqrt(weighted(values.square()).sum().item<double>() / entries_.count);
  const double least = digit * (size > 0 ? size : 1);
  least_noise_ = options_.loss == LossKind::kAbsolute ? least : least * least;
  // What is not yet explained looks like outliers, and would stay so: at first the absolute loss is squared near 0, and
  // that far less sweep by sweep (Blake and Zisserman, Visual Reconstruction, 1987, chapter 7: graduated
  // non-convexity).
  if (options_.loss == LossKind::kAbsolute) width_ = (values - mean_).abs().max().item<double>();
  const Tensor of_mean = wengert::full_like(values, mean_);
  const Tensor weights = weighted(curvatures_of(values, of_mean, options_.loss, options_.huber_delta, width_));
  set_noise((weights * (values - mean_).square()).sum().item<double>());
}

void Alternation::save(wengert::serialize::OutputArchive& archive) const {
  archive.write("numbers", tensor_of({noise_, loss_, squares_, added_squares_, width_}));
  for (const auto& [side, name] : {std::pair(&rows_, "rows"), std::pair(&columns_, "columns")}) {
    wengert::serialize::OutputArchive nested;
    nested.write("values", side->values);
    nested.write("variances", side->variances);
    nested.write("penalties", side->penalties);
    archive.write(name, nested);
  }
}

void Alternation::load(const wengert::serialize::InputArchive& archive) {
  const std::vector<double> numbers = numbers_in(archive, "numbers");
  if (numbers.size() != 5) archive.fail("there are other numbers than this program writes");
  noise_ = numbers[0];
  loss_ = numbers[1];
  squares_ = numbers[2];
  added_squares_ = numbers[3];
  width_ = numbers[4];
  for (const auto& [side, name] : {std::pair(&rows_, "rows"), std::pair(&columns_, "columns")}) {
    wengert::serialize::InputArchive nested;
    archive.read(name, nested);
    side->values = side->variances = side->penalties = {};
    nested.read("values", side->values);
    nested.read("variances", side->variances);
    nested.read("penalties", side->penalties);
    const int64_t last = side->values.size(1) - 1;
    if (side->ones != 0) side->ones = last;
    if (side->bias != 0) side->bias = last;
  }
}

void Alternation::begin_with(const Model& model) {
  const NoGradGuard no_grad;
  const double penalty = options_.l2.value_or(kImplicitL2);
  extend(rows_, model.C, penalty);
  extend(columns_, model.F.t().contiguous(), penalty);
  if (!has_biases_ || !model.row_bias.defined()) return;
  rows_.values.select(1, rows_.bias).copy_(model.row_bias);
  columns_.values.select(1, columns_.bias).copy_(model.column_bias);
}

void Alternation::fit_biases(const InterruptGuard* interrupt) {
  constexpr int kSweeps = 3;
  for (int i = 0; i < kSweeps && has_biases_ && !(interrupt != nullptr && interrupt->interrupted()); ++i) sweep();
}

void Alternation::sweep() {
  const NoGradGuard no_grad;
  step(rows_, columns_);
  step(columns_, rows_);
  constexpr double kNothing = 0.01;  // of a deviation
  width_ = width_ > kNothing * deviation() ? width_ * kNarrower : 0;
}

void Alternation::add_factors(int64_t count) {
  const NoGradGuard no_grad;
  const double size = size_of_factors();
  seed();
  Tensor directions = options_.nonnegative ? wengert::randn({columns_.pattern.rows(), count}, target_.options()).abs()
                                           : subspace_of_residuals(count).columns;
  const double norm = directions.square().mean().sqrt().item<double>();
  if (norm > 0) directions = directions * (size / norm);
  const double penalty = options_.l2.value_or(is_implicit_ ? kImplicitL2 : noise_ / (size * size));
  extend(rows_, wengert::zeros({rows_.pattern.rows(), count}, target_.options()), penalty);
  extend(columns_, directions, penalty);
}

// A singular value near or above the bound for independent residuals, the largest norms of a row and of a column
// (Bandeira and van Handel, Sharp Nonasymptotic Bounds on the Norm of Random Matrices with Independent Entries, 2016).
// Of ratings it comes to 0.6 of that.
bool Alternation::leaves_structure() const {
  const NoGradGuard no_grad;
  if (!from_data() || options_.nonnegative || !has_scale()) return false;
  constexpr double kNear = 0.8;
  const Subspace subspace = subspace_of_residuals(4);
  const SparseMatrix squares(entries_.pattern, weighted(residual()).square());
  const Tensor of_rows = subspace.of_rows.square(), of_columns = subspace.of_columns.square();
  const auto largest = [](const Tensor& x) { return std::sqrt(x.max().item<double>()); };
  return subspace.strength >
         kNear * (largest(of_rows * squares.mm(of_columns)) + largest(of_columns * squares.t().mm(of_rows)));
}

void Alternation::replace_unused() {
  const NoGradGuard no_grad;
  std::vector<int64_t> kept{0};
  const std::vector<double> share = shares();
  for (int64_t l = 1; l <= rank(); ++l) {
    if (share[static_cast<size_t>(l - 1)] > kSmallShare) kept.push_back(l);
  }
  const int64_t unused = rank() + 1 - static_cast<int64_t>(kept.size());
  kept.push_back(rank() + 1);
  const Tensor columns = wengert::tensor(kept);
  for (Side* side : {&rows_, &columns_}) {
    for (Tensor* of_columns : {&side->values, &side->variances, &side->penalties}) {
      *of_columns = of_columns->index_select(-1, columns);
    }
    if (side->ones != 0) side->ones -= unused;
    if (side->bias != 0) side->bias -= unused;
  }
  add_factors(unused);
}

Biases Alternation::biases() const {
  Biases biases{mean_, {}, {}, 0, 0, has_scale() ? noise_ : 1, deviation()};
  if (!has_biases_) return biases;
  const NoGradGuard no_grad;
  biases.rows = rows_.values.select(1, rows_.bias).clone();
  biases.columns = columns_.values.select(1, columns_.bias).clone();
  biases.l2_rows = rows_.penalties[rows_.bias].item<double>();
  biases.l2_columns = columns_.penalties[columns_.bias].item<double>();
  return biases;
}

std::vector<double> Alternation::shares() const {
  const NoGradGuard no_grad;
  const Tensor strength = rows_.values.square().mean(0) * columns_.values.square().mean(0);
  std::vector<double> shares;
  for (int64_t l = 1; l <= rank(); ++l) shares.push_back(strength[l].item<double>() / variance());
  return shares;
}

void Alternation::put_model(FitResult& result, int64_t rank_wanted) const {
  const NoGradGuard no_grad;
  const std::vector<double> share = shares();
  std::vector<int64_t> order;
  for (int64_t l = 0; l < rank(); ++l) {
    if (share[static_cast<size_t>(l)] > kSmallShare / 10 || !from_data()) order.push_back(l + 1);
  }
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return share[static_cast<size_t>(a - 1)] > share[static_cast<size_t>(b - 1)];
  });
  result.used_rank = static_cast<int64_t>(order.size());
  const auto options = target_.options();
  result.C = wengert::zeros({rows_.pattern.rows(), rank_wanted}, options);
  result.F = wengert::zeros({rank_wanted, columns_.pattern.rows()}, options);
  result.row_penalties = wengert::ones({rank_wanted + 1}, options);
  result.row_penalties[0] = rows_.penalties[rows_.bias];
  if (from_data()) result.column_variances = wengert::zeros_like(result.F);
  for (size_t l = 0; l < order.size(); ++l) {
    const auto at = static_cast<int64_t>(l);
    result.C.select(1, at).copy_(rows_.values.select(1, order[l]));
    result.F.select(0, at).copy_(columns_.values.select(1, order[l]));
    result.row_penalties[at + 1] = rows_.penalties[order[l]];
    if (from_data()) result.column_variances.select(0, at).copy_(columns_.variances.select(1, order[l]));
  }
  if (from_data() && options_.loss == LossKind::kAbsolute) result.expected_curvature = 0.5 / deviation();
  const Biases own = biases();
  result.mean = own.mean;
  result.row_bias = own.rows;
  result.column_bias = own.columns;
  if (has_scale() && from_data()) result.noise = noise_;
  if (from_data() && !order.empty()) {
    double sum = 0;
    for (const int64_t l : order) {
      sum += (rows_.penalties[l].item<double>() + columns_.penalties[l].item<double>()) / 2;
    }
    result.l2 = sum / static_cast<double>(order.size());
  }
}

bool Alternation::has_scale() const {
  return !is_implicit_ && options_.loss != LossKind::kLogistic && options_.loss != LossKind::kPoisson;
}

double Alternation::deviation() const {
  if (!has_scale()) return 1;
  if (options_.loss == LossKind::kAbsolute) return noise_ < width_ / 2 ? std::sqrt(2 * noise_ * width_) : 2 * noise_;
  const double delta = options_.huber_delta;
  return options_.loss == LossKind::kHuber && noise_ > delta * delta ? noise_ / delta : std::sqrt(noise_);
}

double Alternation::size_of_factors() const { return 0.36 * std::sqrt(deviation()); }

// The parabolas on the absolute loss bend the more, the smaller the residual; in the mean over a Laplace density its
// curvature is half the inverse of the mean residual.
Tensor Alternation::expected_weights() const {
  if (options_.loss != LossKind::kAbsolute) return weights_or_ones();
  return weighted(ones_) * (expected_part_ * weights_.sum().item<double>() / entries_.count);
}

Tensor Alternation::product() const { return wengert::sampled_mm(rows_.values, columns_.values.t(), entries_.pattern); }

Tensor Alternation::residual() const {
  return is_quadratic_ || is_implicit_ ? target_ - product() : target_ - inverse_link(product() + mean_, options_.loss);
}

// A subspace iteration (Halko, Martinsson, Tropp, 2011).
Alternation::Subspace Alternation::subspace_of_residuals(int64_t count) const {
  const SparseMatrix all(entries_.pattern, weighted(residual())), known(entries_.pattern, weights_or_ones());
  const double few = 10 * known.values().mean().item<double>();
  seed();
  Subspace subspace{wengert::randn({columns_.pattern.rows(), count}, target_.options()), 0,
                    (known.sum(1) + few).rsqrt().unsqueeze(1), (known.sum(0) + few).rsqrt().unsqueeze(1)};
  for (int turn = 0; turn < 2; ++turn) {
    const Tensor image = orthogonal(all.mm(subspace.columns * subspace.of_columns) * subspace.of_rows);
    const Tensor back = all.t().mm(image * subspace.of_rows) * subspace.of_columns;
    subspace.strength = back.square().sum(0).max().sqrt().item<double>();
    subspace.columns = orthogonal(back);
  }
  subspace.columns = subspace.columns * subspace.of_columns;
  return subspace;
}

void Alternation::seed() const { wengert::manual_seed(options_.seed + static_cast<uint64_t>(rank())); }

Tensor Alternation::loss_of_entries() const {
  if (is_quadratic_) {
    return wengert::sampled_squared_error(rows_.values, columns_.values.t(), SparseMatrix(entries_.pattern, target_),
                                          entries_.weights);
  }
  const Tensor product = this->product();
  if (is_implicit_) {
    // (1 + alpha r) (1 - x)^2 here, x^2 at all other pairs; those of all pairs are sums over pairs of factors.
    const Tensor all = wengert::mm(rows_.values.t(), rows_.values) * wengert::mm(columns_.values.t(), columns_.values);
    return ((weights_ + 1) * (1 - product).square() - product.square()).sum() + all.sum();
  }
  return weighted(losses_of(target_, product + mean_, options_.loss, options_.huber_delta)).sum();
}

Tensor Alternation::penalties_of(const Side& side) const {
  Tensor penalties = side.penalties.unsqueeze(0).clone();
  penalties.select(1, side.ones).fill_(0);
  return options_.l2_by_count ? penalties * SparseMatrix(side.pattern, ones_).sum(1).unsqueeze(1) : penalties;
}

void Alternation::weigh() {
  const Tensor x = product() + mean_;
  weights_ = weighted(curvatures_of(target_, x, options_.loss, options_.huber_delta, width_));
  squares_ = (weights_ * (target_ - x).square()).sum().item<double>();
  if (options_.loss != LossKind::kAbsolute) return;
  const double mean = weighted((target_ - x).abs()).sum().item<double>() / entries_.count;
  expected_part_ = 0.5 * entries_.count / (std::max({mean, least_noise_, width_}) * weights_.sum().item<double>());
}

void Alternation::step(Side& side, const Side& other) {
  const int64_t free = rank() + (has_biases_ ? 1 : 0), first = has_biases_ ? side.first : 1;
  if (free == 0) return;
  if (!is_quadratic_ && !is_implicit_) weigh();
  Tensor spread = wengert::zeros_like(side.values);
  if (from_data()) spread = SparseMatrix(side.pattern, expected_weights()).mm(other.variances);
  const Tensor penalties = penalties_of(side) + spread;

  const Tensor& values = side.values;
  values.requires_grad_(true);
  wengert::optim::RowGaussNewtonOptions options;
  options.features(other.values).pattern(side.pattern).l2(penalties).first_column(first).columns(free);
  options.whole(is_implicit_).nonnegative(options_.nonnegative).block(kBlock);
  options.weights(weights_);
  wengert::optim::RowGaussNewton optimizer({values}, options);
  const double of_other = from_data() ? 0 : (penalties_of(other) * other.values.square()).sum().item<double>();
  bool is_first = true;
  optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor of_entries = loss_of_entries();
    Tensor loss = of_entries + (penalties * values.square()).sum();
    if (is_first) {
      const double error = of_entries.item<double>();
      loss_ = from_data() ? error : loss.item<double>() + of_other;
      if (is_quadratic_) squares_ = error;
      is_first = false;
    }
    loss.backward();
    return loss;
  });
  values.requires_grad_(false);
  values.mutable_grad() = Tensor();
  if (from_data()) {
    const auto& state =
        static_cast<const wengert::optim::RowGaussNewtonParamState&>(*optimizer.state().at(values.impl()));
    learn(side, spread, penalties + expected_part_ * (state.curvature() - penalties), first, free);
  }
}

// After a step: the noise, the posterior's variances in the `free` columns from `first` on, and the penalties that
// follow. spread: what the other side's variances added to the penalties; curvature: the diagonals of the rows'
// matrices.
void Alternation::learn(Side& side, const Tensor& spread, const Tensor& all_curvature, int64_t first, int64_t free) {
  // The error that is expected: that of the means, and what the variances add, which belongs to the last step.
  const double noise_before = noise_;
  if (has_scale()) set_noise(squares_ + added_squares_ + entries_.squares_within);
  const Tensor curvature = all_curvature.narrow(1, first, free);
  side.variances = wengert::zeros_like(side.values);
  const Tensor variances = side.variances.narrow(1, first, free);
  variances.copy_(noise_ / curvature);
  const Tensor own = side.penalties.narrow(0, first, free), squares = side.values.square();
  added_squares_ = ((squares * spread).sum() + (variances * (curvature - own)).sum()).item<double>();
  // The noise over the variance of a normal prior. A factor that is nothing in any line has no upper bound otherwise.
  const Tensor second_moment = (squares + side.variances).narrow(1, first, free).mean(0);
  own.copy_(noise_ / second_moment.clamp_min(1e-30));
  // While the first factors explain most of what there is, the noise seems too large for the others, which must not
  // vanish before it is known.
  constexpr double kSettled = 0.7;
  if (noise_ < kSettled * noise_before && rank() > 0) {
    side.penalties.narrow(0, 1, rank()).fill_(noise_ / std::pow(size_of_factors(), 2));
  }
  if (options_.l2_bias && has_biases_) side.penalties[side.bias].fill_(*options_.l2_bias);
}

void Alternation::extend(Side& side, const Tensor& values, double penalty) {
  const auto grown = [&](const Tensor& old, const Tensor& more) {
    const int64_t dim = old.dim() - 1, size = old.size(dim);
    return wengert::cat({old.narrow(dim, 0, size - 1), more, old.narrow(dim, size - 1, 1)}, dim);
  };
  side.values = grown(side.values, values);
  side.variances = grown(side.variances, wengert::zeros_like(values));
  side.penalties = grown(side.penalties, wengert::full({values.size(1)}, penalty, side.penalties.options()));
  if (side.ones != 0) side.ones += values.size(1);
  if (side.bias != 0) side.bias += values.size(1);
}

}  // namespace factorize
