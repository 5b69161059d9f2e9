#include <factorize/fit/als.h>
#include <factorize/fit/alternation.h>
#include <factorize/model/entry_losses.h>
#include <factorize/terminal/interrupt.h>
#include <factorize/terminal/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

constexpr int64_t kStage = 14;  // factors that are begun with, and added at a time

void take_model(FitResult& result, const FitResult& from) {
  static_cast<Model&>(result) = from;
  result.noise = from.noise;
  result.l2 = from.l2;
  result.used_rank = from.used_rank;
}

// The model that was best on the validation.
void save_best(wengert::serialize::OutputArchive& archive, const Share& share, const FitResult& best) {
  wengert::serialize::OutputArchive nested;
  Model model = best;
  share.make_whole(model);
  for_each_tensor(model, [&](const char* name, const Tensor& tensor) {
    if (tensor.defined()) nested.write(name, tensor);
  });
  nested.write("numbers", tensor_of({best.mean, best.expected_curvature, best.validation_rmse.value_or(0),
                                     best.noise.value_or(0), best.l2.value_or(0)}));
  nested.write("iteration", best.best_iteration);
  nested.write("used_rank", best.used_rank);
  archive.write("best", nested);
}

void load_best(const wengert::serialize::InputArchive& archive, const Share& share, FitResult& result,
               FitResult& best) {
  wengert::serialize::InputArchive nested;
  archive.read("best", nested);
  for_each_tensor(best, [&](const char* name, Tensor& tensor) { nested.try_read(name, tensor); });
  const std::vector<double> numbers = numbers_in(nested, "numbers");
  if (!best.C.defined() || !best.F.defined() || numbers.size() != 5) {
    archive.fail("the best model is not as this program writes it");
  }
  share.make_own(best);
  best.mean = numbers[0];
  best.expected_curvature = numbers[1];
  best.validation_rmse = result.validation_rmse = numbers[2];
  if (numbers[3] > 0) best.noise = numbers[3];
  if (numbers[4] > 0) best.l2 = numbers[4];
  nested.read("iteration", best.best_iteration);
  nested.read("used_rank", best.used_rank);
  result.best_iteration = best.best_iteration;
}

double variance_explained(const FitResult& result, const Share& share) {
  const Tensor product = wengert::sampled_mm(result.C, result.F, share.of_rows.pattern);
  return share.mean((result.row_bias.defined() ? product - share.mean(product) : product).square());
}

}  // namespace

Biases fit_biases(const Share& share, const FitOptions& options) {
  Alternation als(share, options);
  als.fit_biases(nullptr);
  return als.biases();
}

FitResult fit_by_als(const Share& share, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const NoGradGuard no_grad;
  const int64_t rank = options.rank.value_or(default_rank(share.rows.all(), share.columns.all()));
  // Parabolas on losses that are straight make small steps.
  const bool is_robust = options.loss == LossKind::kAbsolute || options.loss == LossKind::kHuber;
  const double tolerance = options.tolerance.value_or(is_robust ? 1e-3 : 0.01);
  FitResult result, best;
  result.loss = best.loss = options.loss;
  result.count = share.count;
  const Processes& processes = share.processes();
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  Alternation als(share, options);
  const bool is_implicit = options.feedback == Feedback::kAls, has_fixed_penalties = options.l2 || is_implicit;
  const bool begins_with_start = running.start != nullptr && has_fixed_penalties && running.start->rank() == rank;
  double last = std::numeric_limits<double>::infinity();
  int64_t used_at_replacing = -1, settled = 0;
  if (const auto* resumed = running.resumed()) {
    resumed->read("als", als);
    resumed->read("iterations", result.iterations);
    resumed->read("last", last);
    resumed->read("settled", settled);
    resumed->read("used_at_replacing", used_at_replacing);
    result.losses = numbers_in(*resumed, "losses");
    if (resumed->contains("best")) load_best(*resumed, share, result, best);
  } else if (begins_with_start) {
    als.begin_with(*running.start);
  } else {
    als.fit_biases(&interrupt);
  }
  // With fixed penalties all factors begin at once; where the data tell, more are added while all are of use.
  const int64_t stage = has_fixed_penalties ? rank : kStage;
  if (running.resumed() == nullptr && !begins_with_start) als.add_factors(std::min(stage, rank));
  Progress progress(running.show_progress, options.iterations, running.loss_unit, running.on_iteration);
  while (true) {
    const bool is_interrupted = processes.any(interrupt.interrupted());
    running.save(is_interrupted, [&](wengert::serialize::OutputArchive& archive) {
      archive.write("als", als);
      archive.write("iterations", result.iterations);
      archive.write("last", last);
      archive.write("settled", settled);
      archive.write("used_at_replacing", used_at_replacing);
      archive.write("losses", tensor_of(result.losses));
      if (best.C.defined()) save_best(archive, share, best);
    });
    if (is_interrupted) {
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
    const bool is_small = std::abs(last - measure) <= tolerance * std::abs(last) && result.iterations >= kLeastSweeps;
    settled = is_small && !als.is_widened() ? settled + 1 : 0;
    last = measure;
    if (share.validation) {
      als.put_model(result, rank);
      const double rmse = share.rmse(result, *share.validation);
      result.validations.emplace_back(result.iterations, rmse);
      if (rmse < result.validation_rmse.value_or(std::numeric_limits<double>::infinity())) {
        result.validation_rmse = rmse;
        result.best_iteration = result.iterations;
        best = result;
      } else if (result.iterations - result.best_iteration >= options.patience) {
        result.stop = Stop::kValidation;
        break;
      }
    }
    // Noise that is estimated rises and falls in the first sweeps, and is the same for once where it turns.
    constexpr int64_t kMayTurn = 10;
    if (settled < (has_fixed_penalties || result.iterations > kMayTurn ? 1 : 2)) continue;
    settled = 0;
    const std::vector<double> shares = als.shares();
    const auto used =
        std::count_if(shares.begin(), shares.end(), [](double s) { return s > Alternation::kSmallShare; });
    if (als.rank() < rank && used == als.rank()) {
      als.add_factors(std::min(kStage, rank - als.rank()));
      continue;
    }
    // One that became nothing stays so, though there may be something for it once the noise is known.
    if (used < als.rank() && used > used_at_replacing && als.leaves_structure()) {
      used_at_replacing = used;
      als.replace_unused();
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
  if (!is_implicit) result.squared_error = share.squared_error(result, share.of_rows);
  if (options.loss == LossKind::kSquared && !is_implicit) {
    const double explained = variance_explained(result, share);
    result.factors_help = explained > 0.01 * result.noise.value_or(result.squared_error / result.count);
  }
  return result;
}

}  // namespace factorize
