#pragma once

#include <factorize/fit/als.h>
#include <factorize/model/share.h>
#include <factorize/terminal/interrupt.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/ops/sparse_matrix.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace factorize {

/// Alternating least squares of entries, sweep by sweep. The model mean + b_i + c_j + C_i F_j is one product of two
/// matrices with k + 2 columns,
///
///     rows     b_i | C_i | 1
///     columns  1   | F_j | c_j
///
/// Each side steps in its columns but the ones, the other's being its features. Losses that are not squared are
/// replaced by parabolas that touch them from above, anew in each step. Without an l2, noise, variances and penalties
/// follow from the data; see fit().
///
/// Of several processes each has the lines of its share, and all come to the same numbers for what lines have in
/// common. What a side's lines have become goes to those that need it for the other side's while what follows from it
/// is reckoned.
class Alternation {
 public:
  /// A factor is of use where it explains this much of the noise.
  static constexpr double kSmallShare = 1e-3;

  /// Both must live longer.
  Alternation(const Share& share, const FitOptions& options);

  void save(wengert::serialize::OutputArchive& archive) const;
  void load(const wengert::serialize::InputArchive& archive);

  /// Instead of biases and factors that it finds itself, where the penalties are fixed; of the own part.
  void begin_with(const Model& model);
  /// interrupt: may be null, if in all processes.
  void fit_biases(const InterruptGuard* interrupt);
  /// A step of the rows and one of the columns.
  void sweep();
  /// They begin where the entries' residuals point.
  void add_factors(int64_t count);
  /// Whether residuals have more in common than chance gives them.
  bool leaves_structure() const;
  /// Others in the place of the factors that are of no use.
  void replace_unused();

  int64_t rank() const { return rows_.values.size(1) - 2; }
  Biases biases() const;
  /// How much each factor explains, beside the noise.
  std::vector<double> shares() const;
  /// Before the last step: of the entries and, where they are given, the penalties.
  double loss() const { return loss_; }
  /// Whether the absolute loss is still squared near 0, so that nothing is settled.
  bool is_widened() const { return width_ > 0; }
  /// What is to fall, and tells when it no longer does.
  double measure() const { return has_scale() && from_data() ? noise_ : loss_; }
  /// The factors that are something, the strongest first, filled up by zeros.
  void put_model(FitResult& result, int64_t rank_wanted) const;

 private:
  struct Side {
    const Lines* lines;
    const Entries* entries;          // those of its lines
    wengert::SparsePattern pattern;  // its lines are this side's
    int64_t first;                   // of the columns that step
    int64_t ones, bias;              // columns
    wengert::Tensor weights;         // half the second derivatives of the entries' losses
    wengert::Tensor target{}, ones_of_entries{};
    wengert::Tensor values{};     // (own lines, k + 2)
    wengert::Tensor variances{};  // of the values, in their posterior
    wengert::Tensor penalties{};  // (k + 2): of the squares
    mutable Arriving values_needed{}, variances_needed{};

    wengert::Tensor weights_or_ones() const { return weights.defined() ? weights : ones_of_entries; }
    wengert::Tensor weighted(const wengert::Tensor& x) const { return entries->weighted(x); }
    void send_values() { values_needed = lines->bring(values); }
    void send_variances() { variances_needed = lines->bring(variances); }
  };
  // The strongest directions of the residuals, lines being scaled by the root of how much is known of them.
  struct Subspace {
    wengert::Tensor columns;              // (own m, count)
    double strength;                      // the largest singular value, of the scaled residuals
    wengert::Tensor of_rows, of_columns;  // the lines' scales, (own n, 1) and (own m, 1)
  };

  // Whether the loss has a scale of its own, the noise's variance; others are -log p, of which losses are 1/2.
  bool has_scale() const;
  bool from_data() const { return !options_.l2 && !is_implicit_; }
  double penalty_of_bias(double from_data) const { return options_.l2_bias.value_or(options_.l2.value_or(from_data)); }

  void begin_noise();
  // By the sum of squares, weighted by the curvatures.
  void set_noise(double squares) { noise_ = std::max(squares / share_.count, least_noise_); }
  // How far values lie from the model's, by the weighted squares.
  double deviation() const;
  double variance() const { return has_scale() ? deviation() * deviation() : noise_; }
  // Of the elements of factors, as they are begun with.
  double size_of_factors() const;

  // Over the entries of all processes: each has x of its own, those of a side's lines.
  double sum(const wengert::Tensor& x) const { return processes().sum(x.sum().item<double>()); }
  double largest(const wengert::Tensor& x) const { return processes().most(x.max().item<double>()); }
  const Processes& processes() const { return share_.processes(); }

  // Of a side's entries: what variances are reckoned with.
  wengert::Tensor expected_weights(const Side& side) const;
  // The model without its mean.
  wengert::Tensor product(const Side& side) const;
  // What the product does not explain yet, about minus the loss's slope.
  wengert::Tensor residual(const Side& side) const;
  // The entries of the rows, and those of the columns, with something of each.
  template <class Of>
  std::pair<wengert::SparseMatrix, wengert::SparseMatrix> of_both(const Of& of) const;
  Subspace subspace_of_residuals(int64_t count) const;
  // The generator, so that a run that goes on draws the same.
  void seed() const;

  // Of a side's own lines; the sum over processes is that of all.
  wengert::Tensor loss_of_entries(const Side& side) const;
  // Of each element or, (1, k + 2), each column; not of the ones.
  wengert::Tensor penalties_of(const Side& side) const;
  // The parabolas of a side's entries at the present model.
  void weigh(Side& side);
  void step(Side& side, const Side& other);
  void learn(Side& side, const wengert::Tensor& spread, const wengert::Tensor& all_curvature, int64_t first,
             int64_t free);
  // Puts `count` factors behind those that are there.
  static void extend(Side& side, const wengert::Tensor& values, double penalty);

  const Share& share_;
  const FitOptions& options_;
  Side rows_, columns_;
  wengert::Tensor gram_of_other_;  // of implicit feedback: of the side that does not step, over all its lines
  bool is_implicit_, is_quadratic_, has_biases_;
  double mean_ = 0;
  double noise_, least_noise_ = 0;
  double loss_ = 0;
  double width_ = 0;                        // of the absolute loss, up to which it is squared
  double expected_part_ = 1;                // of the weights' sum, that of expected_weights()
  double squares_ = 0, added_squares_ = 0;  // of the means, weighted by the curvatures; what variances add to them
};

}  // namespace factorize
