#include <factorize/fit/als.h>
#include <factorize/fit/whole.h>
#include <factorize/processes/lines.h>
#include <factorize/terminal/interrupt.h>
#include <factorize/terminal/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <chrono>
#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

// A factor of D or of its transpose, both with k columns: D is about P Q'. Of several processes each has a block of D's
// rows with its part of their factor; the columns' all have.
struct Side {
  Tensor matrix;  // D for the rows' factor, D' for the columns'
  Tensor factor;
  bool is_cut;
};

}  // namespace

FitResult fit_by_als(const Tensor& matrix, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const NoGradGuard no_grad;
  FitResult result;
  const RowBlocks blocks(matrix, running);
  const Processes& processes = blocks.processes;
  result.offset = mean_to_take_off(blocks, options.center);
  const Tensor D = (result.offset.defined() ? matrix - result.offset : matrix).to(options.dtype);
  const double l2 = options.l2.value_or(0), tolerance = options.tolerance.value_or(1e-6);
  const double norm_squared = blocks.sum(D.square());
  const int64_t k = *options.rank;
  const Tensor penalties = wengert::full({k}, l2, D.options());

  // The columns' factor begins as what D makes of random numbers; the rows' follows from it.
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  Side rows{D, wengert::zeros({D.size(0), k}, D.options()), true}, columns{D.t(), {}, false};
  const Tensor random = blocks.own_of(wengert::randn({blocks.rows, k}, D.options()));
  columns.factor = processes.sum(wengert::mm(columns.matrix, options.nonnegative ? random.abs() : random));
  if (options.nonnegative) columns.factor.relu_();
  const double size = columns.factor.square().mean().item<double>();
  if (size > 0) columns.factor = columns.factor * std::sqrt(std::sqrt(norm_squared) / size / static_cast<double>(k));

  const auto exact_squared_error = [&] {
    return blocks.sum((D - wengert::mm(rows.factor, columns.factor.t())).square());
  };
  const auto penalty = [&] {
    return l2 == 0 ? 0 : l2 * (blocks.sum(rows.factor.square()) + columns.factor.square().sum().item<double>());
  };
  // |D - P Q'|^2 = |D|^2 - 2 sum(D Q, P) + sum(P' P, Q' Q): one product with D, and nothing of its size is made.
  // Returns how much the loss falls, which is not seen in its own digits near the end.
  const auto step = [&](Side& side, Side& other) {
    if (l2 == 0 && !options.nonnegative) {
      // Nothing but the product counts: the other factor's columns are made orthonormal, so that no digits are lost
      // where singular values are far apart.
      const auto [q, r] = other.is_cut ? qr_of_blocks(processes, other.factor) : wengert::linalg_qr(other.factor);
      side.factor = wengert::mm(side.factor, r.t());
      other.factor = q;
    }
    const Tensor P = side.factor.requires_grad_(true), before = P.detach().clone();
    const auto over_rows = [&](const Tensor& x) { return other.is_cut ? processes.sum(x) : x; };
    const Tensor image = over_rows(wengert::mm(side.matrix, other.factor)),
                 gram = over_rows(wengert::mm(other.factor.t(), other.factor));
    wengert::optim::RowGaussNewton optimizer({P}, wengert::optim::RowGaussNewtonOptions()
                                                      .features(other.factor)
                                                      .whole(true)
                                                      .gram(gram)
                                                      .l2(penalties)
                                                      .nonnegative(options.nonnegative));
    optimizer.step([&] {
      optimizer.zero_grad();
      Tensor loss = (wengert::mm(P.t(), P) * gram).sum() - 2 * (image * P).sum() + l2 * P.square().sum();
      loss.backward();
      return loss;
    });
    const Tensor change = P.detach() - before, curvature = gram + l2 * wengert::eye(k, gram.options());
    const double falls = -((P.grad() + wengert::mm(change, curvature)) * change).sum().item<double>();
    P.requires_grad_(false);
    P.mutable_grad() = Tensor();
    return side.is_cut ? processes.sum(falls) : falls;
  };
  {
    Progress progress(running.show_progress, options.iterations, running.loss_unit, running.on_iteration);
    double loss = 0, fell = std::numeric_limits<double>::infinity();
    if (const auto* resumed = running.resumed()) {
      resumed->read("rows", rows.factor);
      rows.factor = blocks.own_of(rows.factor);
      resumed->read("columns", columns.factor);
      resumed->read("iterations", result.iterations);
      resumed->read("fell", fell);
      result.losses = numbers_in(*resumed, "losses");
      loss = result.losses.back();
    } else {
      step(rows, columns);
      loss = exact_squared_error() + penalty();
      result.losses.push_back(loss);
    }
    while (true) {
      const bool is_interrupted = processes.any(interrupt.interrupted());
      running.save(is_interrupted, [&](wengert::serialize::OutputArchive& archive) {
        archive.write("rows", processes.all_at_first(rows.factor));
        archive.write("columns", columns.factor);
        archive.write("iterations", result.iterations);
        archive.write("fell", fell);
        archive.write("losses", tensor_of(result.losses));
      });
      if (is_interrupted || result.iterations >= options.iterations) {
        result.stop = is_interrupted ? Stop::kInterrupted : Stop::kIterations;
        break;
      }
      const double falls = step(columns, rows) + step(rows, columns);
      ++result.iterations;
      loss = std::max(0.0, loss - falls);
      result.losses.push_back(loss);
      progress.update(result.iterations, loss);
      // Below some part of the loss rounding lets it fall again and again, by as much each time.
      constexpr double kMayBeRounding = 1e-5, kAsMuch = 0.9;
      const bool is_rounding = falls <= kMayBeRounding * loss && falls > kAsMuch * fell;
      fell = falls;
      if (falls <= tolerance * loss || (is_rounding && tolerance > 0) || loss == 0) {
        result.stop = Stop::kConverged;
        break;
      }
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = result.iterations;
  result.C = rows.factor;
  result.F = columns.factor.t().contiguous();
  result.squared_error = exact_squared_error();
  result.losses.back() = result.squared_error + penalty();
  result.count = static_cast<double>(blocks.rows) * static_cast<double>(matrix.size(1));
  return result;
}

}  // namespace factorize
