#include <factorize/fit/mean_of_fits.h>
#include <factorize/fit/tune.h>
#include <factorize/model/ranking.h>
#include <factorize/terminal/interrupt.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace factorize {
namespace {

using wengert::Tensor;
using Clock = std::chrono::steady_clock;

// A trial that may go on.
struct Candidate {
  FitOptions options;
  FitResult result;
  int64_t iterations = 0;
  double measure = std::numeric_limits<double>::infinity();  // the smaller the better
  double seconds = 0;                                        // that it took
};

class Search {
 public:
  Search(const Share& share, const FitOptions& options, bool penalties_may_follow, double budget,
         const std::function<void(const Trial&)>& show)
      : share_(share),
        given_(options),
        penalties_may_follow_(penalties_may_follow),
        budget_(budget),
        show_(show),
        fitted_(share) {
    tuning_.is_error = options.feedback == Feedback::kExplicit;
    if (!tuning_.is_error) {
      const Tensor positions = share.columns.positions();
      const auto columns_of = [&](const Entries& entries) {
        return positions.index_select(0, entries.pattern.col_indices());
      };
      relevant_ = relevant_of(rows_of(validation().pattern), columns_of(validation()), validation().values, {});
      seen_ = by_rows(share.of_rows);
      seen_.columns = columns_of(share.of_rows);
      fitted_.validation.reset();
    }
  }

  Tuning run() {
    const InterruptGuard interrupt;
    interrupt_ = &interrupt;
    const bool is_open = given_.optimizer == OptimizerKind::kAuto && !given_.lr;
    const bool with_als = is_open || given_.optimizer == OptimizerKind::kAls;
    if (given_.feedback == Feedback::kBpr) {
      try_rates(OptimizerKind::kAdagrad);
    } else {
      if (with_als && !given_.l2 && tuning_.is_error && penalties_may_follow_) try_ranks();
      if (with_als) try_paths();
      if (tuning_.is_error && is_open) try_rates(OptimizerKind::kAdam);
      if (!with_als) try_rates(given_.optimizer == OptimizerKind::kAuto ? OptimizerKind::kSgd : given_.optimizer);
    }
    if (!best_) throw wengert::Error("--tune: no fit came to an end within the budget");
    if (given_.fits == 1) try_means();
    tuning_.best = best_->options;
    if (best_->options.l2 || !is_als(*best_)) {
      tuning_.best.iterations = best_->iterations;
      tuning_.best.tolerance = 0;
    }
    tuning_.measure = tuning_.is_error ? best_->measure : -best_->measure;
    tuning_.interrupted = is_interrupted();
    return std::move(tuning_);
  }

 private:
  static bool is_als(const Candidate& candidate) { return candidate.options.optimizer == OptimizerKind::kAls; }
  // What is decided by the time, or by a key, all processes decide alike.
  double seconds() const {
    return share_.processes().most(std::chrono::duration<double>(Clock::now() - start_).count());
  }
  bool is_interrupted() const { return share_.processes().any(interrupt_->interrupted()); }
  // part: of the budget.
  bool may_go_on(double part) const { return !is_interrupted() && seconds() < part * budget_; }
  const Entries& validation() const { return *share_.validation; }

  double measure_of(const FitResult& result) const {
    constexpr int64_t kFirst = 10;
    if (tuning_.is_error) return share_.rmse(result, validation());
    const auto leave_out = [&](int64_t i, std::vector<int64_t>& out) {
      const auto of_row = seen_.columns_of(relevant_.rows[static_cast<size_t>(i)]);
      out.insert(out.end(), of_row.begin(), of_row.end());
    };
    const Model model = share_.with_all_columns(result);
    const MeanOfRows ndcg =
        ranking_measures(Predictor(model), relevant_, kFirst, leave_out).means[RankingMeasures::kNdcg];
    return -share_.processes().sum(ndcg.sum) / static_cast<double>(share_.processes().sum(ndcg.count));
  }

  // Lets a candidate make so many iterations more; false where that was cut off.
  bool advance(Candidate& candidate, int64_t iterations, const Model* start = nullptr) {
    const double begin = seconds();
    FitOptions options = candidate.options;
    options.iterations = iterations;
    const Running running = Running().with_start(candidate.iterations > 0 ? &candidate.result : start);
    FitResult result = fit_several(fitted_, options, running);
    if (result.stop == Stop::kInterrupted) return false;
    candidate.iterations += result.iterations;
    const double measure = measure_of(result);
    candidate.result = std::move(result);
    candidate.measure = std::isfinite(measure) ? measure : std::numeric_limits<double>::infinity();
    candidate.seconds += seconds() - begin;
    Trial trial{candidate.options, candidate.iterations, tuning_.is_error ? measure : -measure, seconds(), false};
    better_.push_back(candidate);
    if (!best_ || candidate.measure < best_->measure) {
      best_ = candidate;
      trial.is_best = true;
    }
    if (better_.size() > kKept) {
      better_.erase(std::max_element(better_.begin(), better_.end(),
                                     [](const Candidate& a, const Candidate& b) { return a.measure < b.measure; }));
    }
    tuning_.trials.push_back(trial);
    show_(trial);
    return true;
  }

  std::vector<int64_t> ranks(std::initializer_list<int64_t> usual) const {
    if (given_.rank) return {*given_.rank};
    const int64_t most = std::min(share_.rows.all(), share_.columns.all());
    std::vector<int64_t> ranks;
    for (const int64_t rank : usual) {
      if (rank <= most) ranks.push_back(rank);
    }
    if (ranks.empty()) ranks.push_back(most);
    return ranks;
  }

  // Regularization from the data; run to the end, as it does not take long.
  void try_ranks() {
    for (const int64_t rank : ranks({14, 8, 28})) {
      for (const double tolerance : {3e-4, 0.01}) {
        if (!may_go_on(0.4)) return;
        Candidate candidate;
        candidate.options = given_;
        candidate.options.optimizer = OptimizerKind::kAls;
        candidate.options.rank = rank;
        if (!given_.tolerance) candidate.options.tolerance = tolerance;
        if (!advance(candidate, given_.iterations)) return;
        if (given_.tolerance) break;
      }
    }
  }

  static constexpr size_t kKept = 12;

  // A path for each rank (and alpha): few sweeps at each l2, from large to small, until it helps no longer. The best
  // third of all that was tried goes on.
  void try_paths() {
    constexpr int64_t kFew = 5;
    std::vector<Candidate> tried;
    std::vector<double> alphas{given_.alpha};
    if (given_.feedback == Feedback::kAls && given_.alpha == FitOptions().alpha) alphas = {1, 3, 10};
    for (const double alpha : alphas) {
      for (const int64_t rank : ranks({8, 16, 32, 64})) {
        const Candidate* last = nullptr;
        int worse = 0;
        double best = std::numeric_limits<double>::infinity();
        for (double l2 = given_.l2.value_or(first_l2()); worse < 2 && may_go_on(0.4); l2 /= 2) {
          Candidate candidate;
          candidate.options = given_;
          candidate.options.optimizer = OptimizerKind::kAls;
          candidate.options.rank = rank;
          candidate.options.l2 = l2;
          candidate.options.alpha = alpha;
          if (!advance(candidate, kFew, last == nullptr ? nullptr : &last->result)) return;
          worse = candidate.measure < best ? 0 : worse + 1;
          best = std::min(best, candidate.measure);
          tried.push_back(std::move(candidate));
          last = &tried.back();
          if (given_.l2) break;
        }
      }
    }
    halve(std::move(tried), 3 * kFew);
  }

  void try_rates(OptimizerKind optimizer) {
    constexpr int64_t kFew = 100, kFewEpochs = 5;
    const bool is_bpr = given_.feedback == Feedback::kBpr;
    FitOptions usual = given_;
    usual.optimizer = optimizer;
    const double rate = is_bpr ? 0.05 : learning_rate(usual);
    std::vector<Candidate> tried;
    for (const int64_t rank : ranks({8, 32})) {
      for (const double factor : {0.3, 1.0, 3.0}) {
        if (!may_go_on(0.6)) break;
        Candidate candidate;
        candidate.options = usual;
        candidate.options.rank = rank;
        candidate.options.lr = given_.lr.value_or(rate * factor);
        if (!advance(candidate, is_bpr ? kFewEpochs : kFew)) return;
        tried.push_back(std::move(candidate));
        if (given_.lr) break;
      }
    }
    // Descent does not begin with a model: it goes on from the beginning.
    for (Candidate& candidate : tried) candidate.iterations = 0;
    halve(std::move(tried), 3 * (is_bpr ? kFewEpochs : kFew));
  }

  // The better third goes on, with three times as many iterations each time, while one is left that goes on improving.
  void halve(std::vector<Candidate> tried, int64_t iterations) {
    constexpr double kPart = 0.6;
    while (tried.size() > 1 && may_go_on(kPart)) {
      std::stable_sort(tried.begin(), tried.end(),
                       [](const Candidate& a, const Candidate& b) { return a.measure < b.measure; });
      tried.resize(std::max<size_t>(1, tried.size() / 3));
      for (Candidate& candidate : tried) {
        if (!may_go_on(kPart) || !advance(candidate, iterations)) return;
        if (!is_als(candidate)) candidate.iterations = 0;
      }
      iterations *= 3;
    }
  }

  // The means of so many fits as there is time for: half of it, as the best are to be fitted to everything, too. Which
  // of the better settings gains most so is not told by how well one fit does.
  void try_means() {
    constexpr double kMost = 8, kNear = 1.01;
    constexpr size_t kTried = 3;
    std::stable_sort(better_.begin(), better_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.measure < b.measure; });
    const double best = best_->measure, bound = best > 0 ? best * kNear : best / kNear;
    std::vector<Candidate> tried;
    for (const Candidate& one : better_) {
      const bool is_new = std::none_of(tried.begin(), tried.end(), [&](const Candidate& other) {
        return one.options.optimizer == other.options.optimizer && one.result.used_rank == other.result.used_rank &&
               one.options.l2.has_value() == other.options.l2.has_value() && one.options.alpha == other.options.alpha;
      });
      if (is_new && one.measure <= bound && tried.size() < kTried) tried.push_back(one);
    }
    for (size_t i = 0; i < tried.size(); ++i) {
      const Candidate& one = tried[i];
      const double left = (budget_ - seconds()) / 2 / static_cast<double>(tried.size() - i);
      Candidate several = one;
      several.options.fits = static_cast<int64_t>(std::min(kMost, left / std::max(one.seconds, 1e-3)));
      if (several.options.fits < 2 || is_interrupted()) return;
      several.iterations = 0;
      const bool to_the_end = is_als(one) && !one.options.l2;
      if (!advance(several, to_the_end ? given_.iterations : std::max<int64_t>(one.iterations, 1))) return;
    }
  }

  // Of factors that explain little, so that less l2 helps at first.
  double first_l2() const {
    if (!tuning_.is_error) return 240;
    const Tensor& values = share_.of_rows.values;
    return 40 * std::sqrt(share_.mean((values - share_.mean(values)).square()));
  }

  const Share& share_;
  const FitOptions& given_;
  bool penalties_may_follow_;
  double budget_;
  const std::function<void(const Trial&)>& show_;
  const InterruptGuard* interrupt_ = nullptr;
  Clock::time_point start_ = Clock::now();
  Tuning tuning_;
  std::optional<Candidate> best_;
  std::vector<Candidate> better_;  // the best that came to an end
  Relevant relevant_;
  EntryRows seen_;
  Share fitted_;  // with the validation where fits are judged by errors
};

}  // namespace

Tuning tune(const Share& share, const FitOptions& options, bool penalties_may_follow, double budget,
            const std::function<void(const Trial&)>& show) {
  return Search(share, options, penalties_may_follow, budget, show).run();
}

}  // namespace factorize
