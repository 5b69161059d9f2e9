#include <factorize/als.h>
#include <factorize/entry_losses.h>
#include <factorize/interrupt.h>
#include <factorize/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::SparseMatrix;
using wengert::SparsePattern;
using wengert::Tensor;

// The model mean + b_i + c_j + C_i F_j is one product of two matrices with k + 2 columns,
//
//     rows     b_i | C_i | 1
//     columns  1   | F_j | c_j
//
// Each side steps in its columns but the ones, the other's being its features.
struct Side {
  SparsePattern pattern;  // its lines are this side's
  int64_t first;          // of the columns that step
  int64_t ones, bias;     // columns
  Tensor values;          // (lines, k + 2)
  Tensor variances;       // of the values, in their posterior
  Tensor penalties;       // (k + 2): of the squares
};

constexpr int64_t kStage = 14;  // factors that are begun with, and added at a time
constexpr int64_t kBlock = 64;  // factors that are solved for at once
constexpr double kUnitNoise = 0.5;
constexpr double kImplicitL2 = 10;
constexpr double kSmallShare = 1e-3;  // of the noise: a factor that explains less is nothing

class Alternation {
 public:
  Alternation(const Entries& entries, const FitOptions& options)
      : entries_(entries),
        options_(options),
        weights_(entries.weights),
        rows_{entries.pattern, 0, 1, 0, {}, {}, {}},
        columns_{entries.pattern.t(), 1, 0, 1, {}, {}, {}},
        is_implicit_(options.feedback == Feedback::kAls),
        is_quadratic_(options.loss == LossKind::kSquared && !is_implicit_),
        has_biases_(options.biases && !options.nonnegative && !is_implicit_) {
    const NoGradGuard no_grad;
    if (has_biases_) mean_ = starting_mean(entries, options.loss);
    target_ = is_implicit_ ? wengert::ones_like(entries.values) : entries.values - (is_quadratic_ ? mean_ : 0);
    if (is_implicit_) weights_ = entries.values * options.alpha;
    ones_ = wengert::ones_like(entries.values);
    noise_ =
        has_scale() ? weighted((entries.values - mean_).square()).sum().item<double>() / entries.count : kUnitNoise;
    if (noise_ == 0) noise_ = 1;
    for (Side* side : {&rows_, &columns_}) {
      side->values = wengert::zeros({side->pattern.rows(), 2}, target_.options());
      side->values.select(1, side->ones).fill_(1);
      side->variances = wengert::zeros_like(side->values);
      side->penalties = wengert::full({2}, penalty_of_bias(5), target_.options());
    }
  }

  Biases biases() const {
    Biases biases{mean_, {}, {}, 0, 0, has_scale() ? noise_ : 1};
    if (!has_biases_) return biases;
    const NoGradGuard no_grad;
    biases.rows = rows_.values.select(1, rows_.bias).clone();
    biases.columns = columns_.values.select(1, columns_.bias).clone();
    biases.l2_rows = rows_.penalties[rows_.bias].item<double>();
    biases.l2_columns = columns_.penalties[columns_.bias].item<double>();
    return biases;
  }
  int64_t rank() const { return rows_.values.size(1) - 2; }
  // Before the last step: of the entries and, where they are given, the penalties.
  double loss() const { return loss_; }

  void save(wengert::serialize::OutputArchive& archive) const {
    archive.write("numbers", tensor_of({noise_, loss_, error_, added_error_}));
    for (const auto& [side, name] : {std::pair(&rows_, "rows"), std::pair(&columns_, "columns")}) {
      wengert::serialize::OutputArchive nested;
      nested.write("values", side->values);
      nested.write("variances", side->variances);
      nested.write("penalties", side->penalties);
      archive.write(name, nested);
    }
  }
  void load(const wengert::serialize::InputArchive& archive) {
    const std::vector<double> numbers = numbers_in(archive, "numbers");
    if (numbers.size() != 4) archive.fail("there are other numbers than this program writes");
    noise_ = numbers[0];
    loss_ = numbers[1];
    error_ = numbers[2];
    added_error_ = numbers[3];
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

  // What is to fall, and tells when it no longer does.
  double measure() const { return has_scale() && from_data() ? noise_ : loss_; }

  void fit_biases(const InterruptGuard* interrupt) {
    constexpr int kSweeps = 3;
    for (int i = 0; i < kSweeps && has_biases_ && !(interrupt != nullptr && interrupt->interrupted()); ++i) sweep();
  }

  void sweep() {
    const NoGradGuard no_grad;
    step(rows_, columns_);
    step(columns_, rows_);
  }

  // Adds factors. They begin where the entries' residuals point: a subspace iteration (Halko, Martinsson, Tropp, 2011)
  // on the residuals, lines being scaled by the root of how much is known of them.
  void add_factors(int64_t count) {
    const NoGradGuard no_grad;
    wengert::manual_seed(options_.seed + static_cast<uint64_t>(rank()));  // also where a run goes on
    const double size = size_of_factors();
    Tensor directions = wengert::randn({columns_.pattern.rows(), count}, target_.options());
    if (options_.nonnegative) {
      directions = directions.abs();
    } else {
      const Tensor residuals = weighted(residual());
      const SparseMatrix all(entries_.pattern, residuals), known(entries_.pattern, weights_or_ones());
      constexpr double kFew = 10;
      const Tensor of_rows = (known.sum(1) + kFew).rsqrt().unsqueeze(1),
                   of_columns = (known.sum(0) + kFew).rsqrt().unsqueeze(1);
      for (int turn = 0; turn < 2; ++turn) {
        const Tensor image = orthogonal(all.mm(directions * of_columns) * of_rows);
        directions = orthogonal(all.t().mm(image * of_rows) * of_columns);
      }
      directions = directions * of_columns;
    }
    const double norm = directions.square().mean().sqrt().item<double>();
    if (norm > 0) directions = directions * (size / norm);
    const double penalty = options_.l2.value_or(is_implicit_ ? kImplicitL2 : noise_ / (size * size));
    extend(rows_, count, wengert::zeros({rows_.pattern.rows(), count}, target_.options()), penalty);
    extend(columns_, count, directions, penalty);
  }

  // How much each factor explains, beside the noise.
  std::vector<double> shares() const {
    const NoGradGuard no_grad;
    const Tensor strength = rows_.values.square().mean(0) * columns_.values.square().mean(0);
    std::vector<double> shares;
    for (int64_t l = 1; l <= rank(); ++l) shares.push_back(strength[l].item<double>() / noise_);
    return shares;
  }

  // The factors that are something, the strongest first, filled up by zeros.
  void put_model(FitResult& result, int64_t rank_wanted) const {
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
    for (size_t l = 0; l < order.size(); ++l) {
      result.C.select(1, static_cast<int64_t>(l)).copy_(rows_.values.select(1, order[l]));
      result.F.select(0, static_cast<int64_t>(l)).copy_(columns_.values.select(1, order[l]));
    }
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

 private:
  // Whether the loss has a scale of its own, the noise's variance; others are -log p, of which losses are 1/2.
  bool has_scale() const {
    return !is_implicit_ && options_.loss != LossKind::kLogistic && options_.loss != LossKind::kPoisson;
  }
  bool from_data() const { return !options_.l2 && !is_implicit_; }
  double penalty_of_bias(double from_data) const { return options_.l2_bias.value_or(options_.l2.value_or(from_data)); }
  // Of the elements of factors, as they are begun with.
  double size_of_factors() const { return 0.36 * std::sqrt(std::sqrt(has_scale() ? noise_ : 1)); }
  Tensor weights_or_ones() const { return weights_.defined() ? weights_ : ones_; }
  Tensor weighted(const Tensor& x) const { return entries_.weighted(x); }
  static Tensor orthogonal(const Tensor& x) { return std::get<0>(wengert::linalg_qr(x)); }

  Tensor product() const { return wengert::sampled_mm(rows_.values, columns_.values.t(), entries_.pattern); }
  // What the product does not explain yet, about minus the loss's slope.
  Tensor residual() const {
    return is_quadratic_ || is_implicit_ ? target_ - product()
                                         : target_ - inverse_link(product() + mean_, options_.loss);
  }

  Tensor loss_of_entries() const {
    if (is_quadratic_) {
      return wengert::sampled_squared_error(rows_.values, columns_.values.t(), SparseMatrix(entries_.pattern, target_),
                                            entries_.weights);
    }
    const Tensor product = this->product();
    if (is_implicit_) {
      // (1 + alpha r) (1 - x)^2 here, x^2 at all other pairs; those of all pairs are sums over pairs of factors.
      const Tensor all =
          wengert::mm(rows_.values.t(), rows_.values) * wengert::mm(columns_.values.t(), columns_.values);
      return ((weights_ + 1) * (1 - product).square() - product.square()).sum() + all.sum();
    }
    return weighted(losses_of(target_, product + mean_, options_.loss, options_.huber_delta)).sum();
  }

  // Of each element or, (1, k + 2), each column; not of the ones.
  Tensor penalties_of(const Side& side) const {
    Tensor penalties = side.penalties.unsqueeze(0).clone();
    penalties.select(1, side.ones).fill_(0);
    return options_.l2_by_count ? penalties * SparseMatrix(side.pattern, ones_).sum(1).unsqueeze(1) : penalties;
  }

  void step(Side& side, const Side& other) {
    const int64_t free = rank() + (has_biases_ ? 1 : 0), first = has_biases_ ? side.first : 1;
    if (free == 0) return;
    if (!is_quadratic_ && !is_implicit_) {
      weights_ = weighted(curvatures_of(target_, product() + mean_, options_.loss, options_.huber_delta));
    }
    Tensor spread = wengert::zeros_like(side.values);
    if (from_data()) spread = SparseMatrix(side.pattern, weights_or_ones()).mm(other.variances);
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
        error_ = of_entries.item<double>();
        loss_ = from_data() ? error_ : loss.item<double>() + of_other;
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
      learn(side, spread, state.curvature(), first, free);
    }
  }

  // After a step: the noise, the posterior's variances in the `free` columns from `first` on, and the penalties that
  // follow. spread: what the other side's variances added to the penalties; curvature: the diagonals of the rows'
  // matrices.
  void learn(Side& side, const Tensor& spread, const Tensor& all_curvature, int64_t first, int64_t free) {
    // The error that is expected: that of the means, and what the variances add, which belongs to the last step.
    const double noise_before = noise_;
    if (has_scale()) {
      const double error = (error_ + added_error_ + entries_.squares_within) / entries_.count;
      noise_ = std::max(options_.loss == LossKind::kAbsolute ? error / 2 : error, 1e-300);
    }
    const Tensor curvature = all_curvature.narrow(1, first, free);
    side.variances = wengert::zeros_like(side.values);
    const Tensor variances = side.variances.narrow(1, first, free);
    variances.copy_(noise_ / curvature);
    const Tensor own = side.penalties.narrow(0, first, free), squares = side.values.square();
    added_error_ = ((squares * spread).sum() + (variances * (curvature - own)).sum()).item<double>();
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

  // Puts `count` factors behind those that are there.
  void extend(Side& side, int64_t count, const Tensor& values, double penalty) const {
    const auto grown = [&](const Tensor& old, const Tensor& more) {
      const int64_t dim = old.dim() - 1, size = old.size(dim);
      return wengert::cat({old.narrow(dim, 0, size - 1), more, old.narrow(dim, size - 1, 1)}, dim);
    };
    side.values = grown(side.values, values);
    side.variances = grown(side.variances, wengert::zeros_like(values));
    side.penalties = grown(side.penalties, wengert::full({count}, penalty, side.penalties.options()));
    if (side.ones != 0) side.ones += count;
    if (side.bias != 0) side.bias += count;
  }

  const Entries& entries_;
  const FitOptions& options_;
  Tensor target_, ones_;
  Tensor weights_;  // half the second derivatives of the entries' losses
  Side rows_, columns_;
  bool is_implicit_, is_quadratic_, has_biases_;
  double mean_ = 0;
  double noise_ = 1, error_ = 0, added_error_ = 0, loss_ = 0;
};

void take_model(FitResult& result, const FitResult& from) {
  result.C = from.C;
  result.F = from.F;
  result.row_bias = from.row_bias;
  result.column_bias = from.column_bias;
  result.noise = from.noise;
  result.l2 = from.l2;
  result.used_rank = from.used_rank;
}

// The model that was best on the validation.
void save_best(wengert::serialize::OutputArchive& archive, const FitResult& best) {
  wengert::serialize::OutputArchive nested;
  nested.write("C", best.C);
  nested.write("F", best.F);
  if (best.row_bias.defined()) {
    nested.write("row_bias", best.row_bias);
    nested.write("column_bias", best.column_bias);
  }
  nested.write("numbers", tensor_of({best.validation_rmse.value_or(0), best.noise.value_or(0), best.l2.value_or(0)}));
  nested.write("iteration", best.best_iteration);
  nested.write("used_rank", best.used_rank);
  archive.write("best", nested);
}

void load_best(const wengert::serialize::InputArchive& archive, FitResult& result, FitResult& best) {
  wengert::serialize::InputArchive nested;
  archive.read("best", nested);
  nested.read("C", best.C);
  nested.read("F", best.F);
  nested.try_read("row_bias", best.row_bias);
  nested.try_read("column_bias", best.column_bias);
  const std::vector<double> numbers = numbers_in(nested, "numbers");
  if (numbers.size() != 3) archive.fail("there are other numbers than this program writes");
  best.validation_rmse = result.validation_rmse = numbers[0];
  if (numbers[1] > 0) best.noise = numbers[1];
  if (numbers[2] > 0) best.l2 = numbers[2];
  nested.read("iteration", best.best_iteration);
  nested.read("used_rank", best.used_rank);
  result.best_iteration = best.best_iteration;
}

double variance_explained(const FitResult& result, const Entries& entries) {
  const Tensor product = wengert::sampled_mm(result.C, result.F, entries.pattern);
  return (product - product.mean()).square().mean().item<double>();
}

}  // namespace

Biases fit_biases(const Entries& entries, const FitOptions& options) {
  Alternation als(entries, options);
  als.fit_biases(nullptr);
  return als.biases();
}

FitResult fit_by_als(const Entries& entries, const Entries* validation, const FitOptions& options,
                     const Running& running) {
  wengert::manual_seed(options.seed);
  const NoGradGuard no_grad;
  const int64_t rank = options.rank.value_or(default_rank(entries.pattern.rows(), entries.pattern.columns()));
  const double tolerance = options.tolerance.value_or(0.01);
  FitResult result, best;
  result.loss = options.loss;
  result.count = entries.count;
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  Alternation als(entries, options);
  double last = std::numeric_limits<double>::infinity();
  if (const auto* resumed = running.resumed()) {
    resumed->read("als", als);
    resumed->read("iterations", result.iterations);
    resumed->read("last", last);
    result.losses = numbers_in(*resumed, "losses");
    if (resumed->contains("best")) load_best(*resumed, result, best);
  } else {
    als.fit_biases(&interrupt);
  }
  // With fixed penalties all factors begin at once; where the data tell, more are added while all are of use.
  const bool is_implicit = options.feedback == Feedback::kAls;
  const int64_t stage = options.l2 || is_implicit ? rank : kStage;
  if (running.resumed() == nullptr) als.add_factors(std::min(stage, rank));
  Progress progress(running.show_progress, options.iterations);
  while (true) {
    running.save(interrupt.interrupted(), [&](wengert::serialize::OutputArchive& archive) {
      archive.write("als", als);
      archive.write("iterations", result.iterations);
      archive.write("last", last);
      archive.write("losses", tensor_of(result.losses));
      if (best.C.defined()) save_best(archive, best);
    });
    if (interrupt.interrupted()) {
      result.stop = Stop::kInterrupted;
      break;
    }
    if (result.iterations == options.iterations) break;
    als.sweep();
    ++result.iterations;
    const double measure = als.measure();
    result.losses.push_back(als.loss());
    progress.update(result.iterations, als.loss());
    if (!std::isfinite(measure)) {
      result.stop = Stop::kDiverged;
      break;
    }
    constexpr int64_t kLeastSweeps = 3;
    const bool is_done = std::abs(last - measure) <= tolerance * std::abs(last) && result.iterations >= kLeastSweeps;
    last = measure;
    if (validation != nullptr) {
      als.put_model(result, rank);
      const double rmse = std::sqrt(squared_error(result, *validation) / validation->count);
      if (rmse < result.validation_rmse.value_or(std::numeric_limits<double>::infinity())) {
        result.validation_rmse = rmse;
        result.best_iteration = result.iterations;
        best = result;
      } else if (result.iterations - result.best_iteration >= options.patience) {
        result.stop = Stop::kValidation;
        break;
      }
    }
    if (!is_done) continue;
    const std::vector<double> shares = als.shares();
    const bool all_are_of_use = std::all_of(shares.begin(), shares.end(), [](double s) { return s > kSmallShare; });
    if (als.rank() < rank && all_are_of_use) {
      als.add_factors(std::min(kStage, rank - als.rank()));
      continue;
    }
    result.stop = Stop::kConverged;
    break;
  }
  als.put_model(result, rank);
  if (best.C.defined()) {
    take_model(result, best);
  } else {
    result.best_iteration = result.iterations;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!is_implicit) result.squared_error = squared_error(result, entries);
  if (options.loss == LossKind::kSquared && !is_implicit) {
    const double explained = variance_explained(result, entries);
    result.factors_help = explained > 0.01 * result.noise.value_or(result.squared_error / result.count);
  }
  return result;
}

}  // namespace factorize
