#include <factorize/fit/als.h>
#include <factorize/fit/descent.h>
#include <factorize/fit/minimize.h>
#include <factorize/fit/ring.h>
#include <factorize/fit/whole.h>
#include <factorize/model/entry_losses.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

// The largest singular value of a matrix, by power iteration on Dᵀ D (Golub and Van Loan, Matrix Computations, section
// 8.2). It need not be exact: it sets the unit in which learning rates are given.
// image: D v; back: D' u; columns: of D.
// squares: the sum of those of u or of v, which several processes may have in parts.
double largest_singular_value(Tensor v, const std::function<Tensor(const Tensor&)>& image,
                              const std::function<Tensor(const Tensor&)>& back,
                              const std::function<double(const Tensor&, bool is_u)>& squares) {
  double sigma = 0;
  for (int i = 0; i < 30; ++i) {
    const double norm = std::sqrt(squares(v, false));
    if (norm == 0) return 0;
    const Tensor u = image(v / norm);
    sigma = std::sqrt(squares(u, true));
    v = back(u);
  }
  return sigma;
}

// Random factors whose largest singular value is about a third, for a matrix whose own is 1: small enough to
// fall into no wrong valley, large enough to leave the saddle at zero.
Tensor starting_factor(int64_t rows, int64_t columns, Init init, wengert::ScalarType dtype) {
  constexpr double kSize = 1.0 / 3;
  const auto long_side = static_cast<double>(std::max(rows, columns));
  const Tensor factor =
      init == Init::kNormal
          ? wengert::randn({rows, columns}, dtype) * (kSize / std::sqrt(long_side))
          // Of numbers with mean 1/2, the largest singular value is that of the constant matrix 1/2.
          : wengert::rand({rows, columns}, dtype) * (2 * kSize / std::sqrt(static_cast<double>(rows * columns)));
  return factor.requires_grad_();
}

// Of a factor with all lines along a dimension, a leaf with the own ones.
Tensor own_part(const Tensor& factor, int64_t dim, const Lines& lines) {
  if (!lines.processes().are_several()) return factor;
  return factor.detach().narrow(dim, lines.begin(), lines.own()).clone().requires_grad_();
}

FitResult descend_on_matrix(const Tensor& matrix, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const RowBlocks blocks(matrix, running);
  const Processes& processes = blocks.processes;
  const Tensor offset = mean_to_take_off(blocks, options.center);
  const Tensor centered = offset.defined() ? matrix - offset : matrix;
  double s = 1;
  if (options.scale == Scale::kAuto) {
    const double sigma = largest_singular_value(
        wengert::randn({centered.size(1), 1}, centered.options()),
        [&](const Tensor& v) { return wengert::mm(centered, v); },
        [&](const Tensor& u) { return processes.sum(wengert::mm(centered.t(), u)); },
        [&](const Tensor& x, bool is_u) {
          const double squares = x.square().sum().item<double>();
          return is_u ? processes.sum(squares) : squares;
        });
    if (sigma > 0) s = sigma;
  }
  // D / s is about (C / sqrt(s)) (F / sqrt(s)). The squared error is s^2 times that of the scaled problem, the
  // penalty s times, so l2 / s weighs the same in the scaled one.
  const double l2 = options.l2.value_or(0) / s;
  const Tensor D = (centered / s).to(options.dtype);
  const Init init = options.init.value_or(options.nonnegative ? Init::kUniform : Init::kNormal);
  const Tensor C = blocks.own_of(starting_factor(blocks.rows, *options.rank, init, options.dtype)).detach();
  C.requires_grad_();
  const Tensor F = starting_factor(*options.rank, D.size(1), init, options.dtype);
  Objective objective;
  objective.parameters = {{C, 0, options.nonnegative}, {F, std::nullopt, options.nonnegative}};
  objective.unit = s * s;
  // What F is penalized with is a part of each process's loss.
  const double part = 1.0 / processes.count();
  objective.loss = [&] {
    Tensor error = (D - wengert::mm(C, F)).square().sum();
    if (l2 == 0) return error;
    const Tensor of_F = F.square().sum();
    return error + l2 * (C.square().sum() + (part == 1 ? of_F : part * of_F));
  };
  if (processes.are_several()) {
    objective.add_others = [&](double loss) {
      const NoGradGuard no_grad;
      F.mutable_grad().copy_(processes.sum(F.grad()));
      return processes.sum(loss);
    };
  }
  FitResult result = minimize(objective, options, running);
  const NoGradGuard no_grad;
  result.offset = offset;
  result.scale = s;
  result.C = C.detach() * std::sqrt(s);
  result.F = F.detach() * std::sqrt(s);
  const Tensor approximation = wengert::mm(result.C.to(matrix.dtype()), result.F.to(matrix.dtype()));
  result.squared_error = blocks.sum((centered - approximation).square());
  result.count = static_cast<double>(blocks.rows) * static_cast<double>(matrix.size(1));
  return result;
}

// Sums of the entries' losses where the model is mean + s (C F + kappa (b_i + c_j)): the same unit as for whole
// matrices, and kappa such that a bias, which counts in all entries of its line, does not make the loss bend more than
// a factor.
FitResult descend_on_entries(const Share& share, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const Entries& entries = share.of_rows;
  const Processes& processes = share.processes();
  const wengert::SparsePattern& pattern = entries.pattern;
  const auto dtype = entries.values.options();
  const Biases biases = fit_biases(share, options);
  const bool has_biases = biases.rows.defined();
  const int64_t n = share.rows.own(), m = share.columns.own();
  const int64_t k = options.rank.value_or(default_rank(share.rows.all(), share.columns.all()));
  const Tensor ones = wengert::ones_like(entries.values);
  const double mean = biases.mean;
  double s = 1;
  if (options.scale == Scale::kAuto) {
    const auto residuals = [&](const Entries& of) {
      return wengert::SparseMatrix(of.pattern, of.values - inverse_link(mean, options.loss));
    };
    const wengert::SparseMatrix of_rows = residuals(entries),
                                of_columns = share.is_whole() ? of_rows.t() : residuals(share.of_columns).t();
    const double sigma = largest_singular_value(
        share.columns.randn(1, dtype), [&](const Tensor& v) { return of_rows.mm(share.columns.bring(v).get()); },
        [&](const Tensor& u) { return of_columns.mm(share.rows.bring(u).get()); },
        [&](const Tensor& x, bool) { return processes.sum(x.square().sum().item<double>()); });
    if (sigma > 0) s = sigma;
  }
  const Tensor in_rows = wengert::SparseMatrix(pattern, ones).sum(1),
               in_columns =
                   wengert::SparseMatrix(share.of_columns.pattern, wengert::ones_like(share.of_columns.values)).sum(0);
  const double most = processes.most(std::max(in_rows.max().item<double>(), in_columns.max().item<double>()));
  const double kappa = 1 / std::sqrt(most);

  const Init init = options.init.value_or(options.nonnegative ? Init::kUniform : Init::kNormal);
  const Tensor C = own_part(starting_factor(share.rows.all(), k, init, dtype.dtype()), 0, share.rows),
               F = own_part(starting_factor(k, share.columns.all(), init, dtype.dtype()), 1, share.columns);
  const auto starting_bias = [&](const Tensor& bias, int64_t lines) {
    return (has_biases ? bias.unsqueeze(1) / (s * kappa) : wengert::zeros({lines, 1}, dtype)).requires_grad_();
  };
  const Tensor row_bias = starting_bias(biases.rows, n),
               column_bias = starting_bias(has_biases ? share.columns.own_of(biases.columns) : biases.columns, m);
  const Tensor kappas_of_rows = wengert::full({n, 1}, kappa, dtype),
               kappas_of_columns = wengert::full({m, 1}, kappa, dtype);
  // By default as of factors whose elements have a standard deviation of kSize times the root of the noise's.
  constexpr double kSize = 0.28;
  const double l2 = options.l2.value_or(biases.noise / (kSize * kSize * biases.deviation)) / s;
  const double l2_rows = biases.l2_rows * kappa * kappa, l2_columns = biases.l2_columns * kappa * kappa;
  const Tensor row_share = options.l2_by_count ? in_rows.unsqueeze(1) : wengert::ones({n, 1}, dtype),
               column_share = options.l2_by_count ? in_columns.unsqueeze(1) : wengert::ones({m, 1}, dtype);

  Objective objective;
  objective.parameters = {{C, 0, options.nonnegative}, {F, 1, options.nonnegative}};
  if (has_biases) objective.parameters.insert(objective.parameters.end(), {{row_bias, 0}, {column_bias, 0}});
  objective.unit = s * s;
  objective.can_be_replayed = false;  // sparse products are not
  // Adds those of the own lines to a loss, which may be undefined.
  const auto with_penalties = [&](Tensor loss) {
    const auto add = [&](const Tensor& penalty) { loss = loss.defined() ? loss + penalty : penalty; };
    if (l2 != 0) add(l2 * ((row_share * C.square()).sum() + (column_share * F.t().square()).sum()));
    if (has_biases) {
      add(l2_rows * (row_share * row_bias.square()).sum());
      add(l2_columns * (column_share * column_bias.square()).sum());
    }
    return loss;
  };
  objective.loss = [&] {
    Tensor x;
    if (has_biases) {
      x = wengert::sampled_mm(wengert::cat({row_bias, C, kappas_of_rows}, 1),
                              wengert::cat({kappas_of_columns, F.t(), column_bias}, 1).t(), pattern);
    } else {
      x = wengert::sampled_mm(C, F, pattern);
    }
    const Tensor each = losses_of(entries.values, x * s + mean, options.loss, options.huber_delta);
    return with_penalties(entries.weighted(each).sum() / (s * s));
  };
  std::optional<Ring> ring;
  if (!share.is_whole()) ring.emplace(share);
  objective.backward = !ring ? std::function<Tensor()>() : [&] {
    const Tensor own = has_biases ? wengert::cat({F.t(), column_bias}, 1) : F.t();
    const auto [gradient, of_entries] = ring->pass(own, [&](const Ring::Part& part, const Tensor& block) {
      Tensor x;
      if (has_biases) {
        const Tensor kappas = wengert::full({block.size(0), 1}, kappa, dtype);
        x = wengert::sampled_mm(wengert::cat({row_bias, C, kappas_of_rows}, 1), wengert::cat({kappas, block}, 1).t(),
                                part.pattern);
      } else {
        x = wengert::sampled_mm(C, block.t(), part.pattern);
      }
      const Tensor each = losses_of(part.values, x * s + mean, options.loss, options.huber_delta);
      return (part.weights.defined() ? part.weights * each : each).sum() / (s * s);
    });
    (own * gradient).sum().backward();
    const Tensor of_lines = with_penalties({});
    if (of_lines.defined()) of_lines.backward();
    const double of_own = of_entries + (of_lines.defined() ? of_lines.item<double>() : 0);
    return wengert::full({}, processes.sum(of_own), wengert::kDouble);
  };
  const auto put_model = [&](FitResult& result) {
    const NoGradGuard no_grad;
    result.loss = options.loss;
    result.mean = mean;
    const auto needed = [&](const Tensor& own) { return share.columns.bring(own).get(); };
    result.C = C.detach() * std::sqrt(s);
    result.F = (share.is_whole() ? F.detach() : needed(F.t()).t().contiguous()) * std::sqrt(s);
    if (!has_biases) return;
    result.row_bias = row_bias.detach().squeeze(1) * (s * kappa);
    result.column_bias = needed(column_bias).detach().squeeze(1) * (s * kappa);
  };
  if (share.validation) {
    objective.validation = [&] {
      FitResult now;
      put_model(now);
      return share.rmse(now, *share.validation);
    };
  }
  FitResult result = minimize(objective, options, running);
  put_model(result);
  result.scale = s;
  result.used_rank = k;
  result.l2 = l2 * s;
  result.row_penalties = wengert::full({k + 1}, l2 * s, dtype);
  result.row_penalties[0] = biases.l2_rows;
  result.squared_error = share.squared_error(result, entries);
  result.count = share.count;
  return result;
}

}  // namespace

FitResult fit_by_descent(const Tensor& matrix, const FitOptions& options, const Running& running) {
  return with_smaller_rates(options, running,
                            [&](const FitOptions& tried) { return descend_on_matrix(matrix, tried, running); });
}

FitResult fit_by_descent(const Share& share, const FitOptions& options, const Running& given) {
  const Running running = given.with_processes(share.processes());
  return with_smaller_rates(options, running,
                            [&](const FitOptions& tried) { return descend_on_entries(share, tried, running); });
}

}  // namespace factorize
