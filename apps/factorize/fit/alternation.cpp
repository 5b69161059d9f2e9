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

}  // namespace

Alternation::Alternation(const Share& share, const FitOptions& options)
    : share_(share),
      options_(options),
      rows_{&share.rows, &share.of_rows, share.of_rows.pattern, 0, 1, 0, share.of_rows.weights},
      columns_{&share.columns, &share.of_columns, share.of_columns.pattern.t(), 1, 0, 1, share.of_columns.weights},
      is_implicit_(options.feedback == Feedback::kAls),
      is_quadratic_(options.loss == LossKind::kSquared && !is_implicit_),
      has_biases_(options.biases && !options.nonnegative && !is_implicit_),
      noise_(kUnitNoise) {
  const NoGradGuard no_grad;
  if (has_biases_) mean_ = starting_mean(sum(rows_.weighted(rows_.entries->values)) / share.count, options.loss);
  for (Side* side : {&rows_, &columns_}) {
    if (side == &columns_ && share.is_whole()) {
      side->target = rows_.target;
      side->ones_of_entries = rows_.ones_of_entries;
      side->weights = rows_.weights;
      break;
    }
    const Tensor& values = side->entries->values;
    side->target = is_implicit_ ? wengert::ones_like(values) : values - (is_quadratic_ ? mean_ : 0);
    if (is_implicit_) side->weights = values * options.alpha;
    side->ones_of_entries = wengert::ones_like(values);
  }
  if (has_scale()) begin_noise();
  for (Side* side : {&rows_, &columns_}) {
    side->values = wengert::zeros({side->lines->own(), 2}, rows_.target.options());
    side->values.select(1, side->ones).fill_(1);
    side->variances = wengert::zeros_like(side->values);
    side->penalties = wengert::full({2}, penalty_of_bias(5 * noise_ / variance()), rows_.target.options());
    side->send_values();
    side->send_variances();
  }
}

void Alternation::begin_noise() {
  const Tensor& values = rows_.entries->values;
  // What rounding leaves of values that a model explains wholly.
  const double digit = values.dtype() == wengert::kDouble ? std::numeric_limits<double>::epsilon()
                                                          : static_cast<double>(std::numeric_limits<float>::epsilon());
  const double size = std::sqrt(sum(rows_.weighted(values.square())) / share_.count);
  const double least = digit * (size > 0 ? size : 1);
  least_noise_ = options_.loss == LossKind::kAbsolute ? least : least * least;
  // What is not yet explained looks like outliers, and would stay so: at first the absolute loss is squared near 0, and
  // that far less sweep by sweep (Blake and Zisserman, Visual Reconstruction, 1987, chapter 7: graduated
  // non-convexity).
  if (options_.loss == LossKind::kAbsolute) width_ = largest((values - mean_).abs());
  const Tensor of_mean = wengert::full_like(values, mean_);
  const Tensor weights = rows_.weighted(curvatures_of(values, of_mean, options_.loss, options_.huber_delta, width_));
  set_noise(sum(weights * (values - mean_).square()));
}

void Alternation::save(wengert::serialize::OutputArchive& archive) const {
  archive.write("numbers", tensor_of({noise_, loss_, squares_, added_squares_, width_}));
  for (const auto& [side, name] : {std::pair(&rows_, "rows"), std::pair(&columns_, "columns")}) {
    wengert::serialize::OutputArchive nested;
    nested.write("values", processes().all_at_first(side->values));
    nested.write("variances", processes().all_at_first(side->variances));
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
    if (!share_.is_whole()) {
      side->values = side->lines->own_of_all(side->values);
      side->variances = side->lines->own_of_all(side->variances);
    }
    side->send_values();
    side->send_variances();
    const int64_t last = side->values.size(1) - 1;
    if (side->ones != 0) side->ones = last;
    if (side->bias != 0) side->bias = last;
  }
}

void Alternation::begin_with(const Model& model) {
  const NoGradGuard no_grad;
  const double penalty = options_.l2.value_or(kImplicitL2);
  extend(rows_, model.C, penalty);
  extend(columns_, columns_.lines->own_of(model.F.t()).contiguous(), penalty);
  if (!has_biases_ || !model.row_bias.defined()) return;
  rows_.values.select(1, rows_.bias).copy_(model.row_bias);
  columns_.values.select(1, columns_.bias).copy_(columns_.lines->own_of(model.column_bias));
  rows_.send_values();
  columns_.send_values();
}

void Alternation::fit_biases(const InterruptGuard* interrupt) {
  constexpr int kSweeps = 3;
  for (int i = 0; i < kSweeps && has_biases_; ++i) {
    if (interrupt != nullptr && processes().any(interrupt->interrupted())) break;
    sweep();
  }
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
  Tensor directions = options_.nonnegative ? columns_.lines->randn(count, rows_.target.options()).abs()
                                           : subspace_of_residuals(count).columns;
  const double norm = processes().are_several() ? columns_.lines->mean(directions.square()).mean().sqrt().item<double>()
                                                : directions.square().mean().sqrt().item<double>();
  if (norm > 0) directions = directions * (size / norm);
  const double penalty = options_.l2.value_or(is_implicit_ ? kImplicitL2 : noise_ / (size * size));
  extend(rows_, wengert::zeros({rows_.lines->own(), count}, rows_.target.options()), penalty);
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
  const auto [rows, columns] = of_both([&](const Side& side) { return side.weighted(residual(side)).square(); });
  const Tensor of_rows = subspace.of_rows.square(), of_columns = subspace.of_columns.square();
  Arriving columns_needed = columns_.lines->bring(of_columns), rows_needed = rows_.lines->bring(of_rows);
  const double largest_row = largest(of_rows * rows.mm(columns_needed.get())),
               largest_column = largest(of_columns * columns.t().mm(rows_needed.get()));
  return subspace.strength > kNear * (std::sqrt(largest_row) + std::sqrt(largest_column));
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
    side->send_values();
    side->send_variances();
  }
  add_factors(unused);
}

Biases Alternation::biases() const {
  Biases biases{mean_, {}, {}, 0, 0, has_scale() ? noise_ : 1, deviation()};
  if (!has_biases_) return biases;
  const NoGradGuard no_grad;
  biases.rows = rows_.values.select(1, rows_.bias).clone();
  biases.columns = columns_.values_needed.get().select(1, columns_.bias).clone();
  biases.l2_rows = rows_.penalties[rows_.bias].item<double>();
  biases.l2_columns = columns_.penalties[columns_.bias].item<double>();
  return biases;
}

std::vector<double> Alternation::shares() const {
  const NoGradGuard no_grad;
  const Tensor strength = rows_.lines->mean(rows_.values.square()) * columns_.lines->mean(columns_.values.square());
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
  const auto options = rows_.target.options();
  const Tensor &columns = columns_.values_needed.get(), &column_variances = columns_.variances_needed.get();
  result.C = wengert::zeros({rows_.lines->own(), rank_wanted}, options);
  result.F = wengert::zeros({rank_wanted, columns_.lines->needed()}, options);
  result.row_penalties = wengert::ones({rank_wanted + 1}, options);
  result.row_penalties[0] = rows_.penalties[rows_.bias];
  if (from_data()) result.column_variances = wengert::zeros_like(result.F);
  for (size_t l = 0; l < order.size(); ++l) {
    const auto at = static_cast<int64_t>(l);
    result.C.select(1, at).copy_(rows_.values.select(1, order[l]));
    result.F.select(0, at).copy_(columns.select(1, order[l]));
    result.row_penalties[at + 1] = rows_.penalties[order[l]];
    if (from_data()) result.column_variances.select(0, at).copy_(column_variances.select(1, order[l]));
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
Tensor Alternation::expected_weights(const Side& side) const {
  if (options_.loss != LossKind::kAbsolute) return side.weights_or_ones();
  return side.weighted(side.ones_of_entries) * (expected_part_ * sum(side.weights) / share_.count);
}

Tensor Alternation::product(const Side& side) const {
  const Tensor& rows = &side == &rows_ ? rows_.values : rows_.values_needed.get();
  const Tensor& columns = &side == &columns_ ? columns_.values : columns_.values_needed.get();
  return wengert::sampled_mm(rows, columns.t(), side.entries->pattern);
}

Tensor Alternation::residual(const Side& side) const {
  return is_quadratic_ || is_implicit_ ? side.target - product(side)
                                       : side.target - inverse_link(product(side) + mean_, options_.loss);
}

template <class Of>
std::pair<SparseMatrix, SparseMatrix> Alternation::of_both(const Of& of) const {
  const SparseMatrix rows(rows_.entries->pattern, of(rows_));
  return {rows, share_.is_whole() ? rows : SparseMatrix(columns_.entries->pattern, of(columns_))};
}

// A subspace iteration (Halko, Martinsson, Tropp, 2011).
Alternation::Subspace Alternation::subspace_of_residuals(int64_t count) const {
  const auto [rows, columns] = of_both([&](const Side& side) { return side.weighted(residual(side)); });
  const auto [known_rows, known_columns] = of_both([&](const Side& side) { return side.weights_or_ones(); });
  const double few = 10 * share_.mean(known_rows.values());
  seed();
  Subspace subspace{columns_.lines->randn(count, rows_.target.options()), 0,
                    (known_rows.sum(1) + few).rsqrt().unsqueeze(1), (known_columns.sum(0) + few).rsqrt().unsqueeze(1)};
  for (int turn = 0; turn < 2; ++turn) {
    Arriving right = columns_.lines->bring(subspace.columns * subspace.of_columns);
    const Tensor image = rows_.lines->orthogonal(rows.mm(right.get()) * subspace.of_rows);
    Arriving left = rows_.lines->bring(image * subspace.of_rows);
    const Tensor back = columns.t().mm(left.get()) * subspace.of_columns;
    subspace.strength = columns_.lines->sum(back.square()).max().sqrt().item<double>();
    subspace.columns = columns_.lines->orthogonal(back);
  }
  subspace.columns = subspace.columns * subspace.of_columns;
  return subspace;
}

void Alternation::seed() const { wengert::manual_seed(options_.seed + static_cast<uint64_t>(rank())); }

Tensor Alternation::loss_of_entries(const Side& side) const {
  if (is_quadratic_) {
    const Tensor& rows = &side == &rows_ ? rows_.values : rows_.values_needed.get();
    const Tensor& columns = &side == &columns_ ? columns_.values : columns_.values_needed.get();
    return wengert::sampled_squared_error(rows, columns.t(), SparseMatrix(side.entries->pattern, side.target),
                                          side.entries->weights);
  }
  const Tensor product = this->product(side);
  if (is_implicit_) {
    // (1 + alpha r) (1 - x)^2 here, x^2 at all other pairs; those of all pairs are sums over pairs of factors.
    const Tensor all = wengert::mm(side.values.t(), side.values) * gram_of_other_;
    return ((side.weights + 1) * (1 - product).square() - product.square()).sum() + all.sum();
  }
  return side.weighted(losses_of(side.target, product + mean_, options_.loss, options_.huber_delta)).sum();
}

Tensor Alternation::penalties_of(const Side& side) const {
  Tensor penalties = side.penalties.unsqueeze(0).clone();
  penalties.select(1, side.ones).fill_(0);
  return options_.l2_by_count ? penalties * SparseMatrix(side.pattern, side.ones_of_entries).sum(1).unsqueeze(1)
                              : penalties;
}

void Alternation::weigh(Side& side) {
  const Tensor x = product(side) + mean_;
  const auto weights = [&](const Side& of, const Tensor& at) {
    return of.weighted(curvatures_of(of.target, at, options_.loss, options_.huber_delta, width_));
  };
  side.weights = weights(side, x);
  if (share_.is_whole()) {
    rows_.weights = columns_.weights = side.weights;
  } else if (&side == &columns_) {
    rows_.weights = weights(rows_, product(rows_) + mean_);  // for what comes between sweeps
  }
  squares_ = sum(side.weights * (side.target - x).square());
  if (options_.loss != LossKind::kAbsolute) return;
  const double mean = sum(side.weighted((side.target - x).abs())) / share_.count;
  expected_part_ = 0.5 * share_.count / (std::max({mean, least_noise_, width_}) * sum(side.weights));
}

void Alternation::step(Side& side, const Side& other) {
  const int64_t free = rank() + (has_biases_ ? 1 : 0), first = has_biases_ ? side.first : 1;
  if (free == 0) return;
  if (!is_quadratic_ && !is_implicit_) weigh(side);
  Tensor spread = wengert::zeros_like(side.values);
  if (from_data()) spread = SparseMatrix(side.pattern, expected_weights(side)).mm(other.variances_needed.get());
  const Tensor penalties = penalties_of(side) + spread;
  if (is_implicit_) gram_of_other_ = processes().sum(wengert::mm(other.values.t(), other.values));

  const Tensor& values = side.values;
  values.requires_grad_(true);
  wengert::optim::RowGaussNewtonOptions options;
  options.features(other.values_needed.get()).pattern(side.pattern).l2(penalties).first_column(first).columns(free);
  options.whole(is_implicit_).gram(gram_of_other_).nonnegative(options_.nonnegative).block(kBlock);
  options.weights(side.weights);
  wengert::optim::RowGaussNewton optimizer({values}, options);
  const double of_other =
      from_data() ? 0 : processes().sum((penalties_of(other) * other.values.square()).sum().item<double>());
  bool is_first = true;
  optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor of_entries = loss_of_entries(side);
    Tensor loss = of_entries + (penalties * values.square()).sum();
    if (is_first) {
      const double error = processes().sum(of_entries.item<double>());
      loss_ = from_data() ? error : processes().sum(loss.item<double>()) + of_other;
      if (is_quadratic_) squares_ = error;
      is_first = false;
    }
    loss.backward();
    return loss;
  });
  values.requires_grad_(false);
  values.mutable_grad() = Tensor();
  side.send_values();
  if (from_data()) {
    const auto& state =
        static_cast<const wengert::optim::RowGaussNewtonParamState&>(*optimizer.state().at(values.impl()));
    learn(side, spread, penalties + expected_part_ * (state.curvature() - penalties), first, free);
    side.send_variances();
  }
}

// After a step: the noise, the posterior's variances in the `free` columns from `first` on, and the penalties that
// follow. spread: what the other side's variances added to the penalties; curvature: the diagonals of the rows'
// matrices.
void Alternation::learn(Side& side, const Tensor& spread, const Tensor& all_curvature, int64_t first, int64_t free) {
  // The error that is expected: that of the means, and what the variances add, which belongs to the last step.
  const double noise_before = noise_;
  if (has_scale()) set_noise(squares_ + added_squares_ + share_.squares_within);
  const Tensor curvature = all_curvature.narrow(1, first, free);
  side.variances = wengert::zeros_like(side.values);
  const Tensor variances = side.variances.narrow(1, first, free);
  variances.copy_(noise_ / curvature);
  const Tensor own = side.penalties.narrow(0, first, free), squares = side.values.square();
  added_squares_ = sum((squares * spread).sum() + (variances * (curvature - own)).sum());
  // The noise over the variance of a normal prior. A factor that is nothing in any line has no upper bound otherwise.
  const Tensor second_moment = side.lines->mean((squares + side.variances).narrow(1, first, free));
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
  side.send_values();
  side.send_variances();
}

}  // namespace factorize
