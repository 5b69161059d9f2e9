// The schedules of `mpirun factorize fit`, run with modelled delays: what a sweep of als, or an epoch of descent in a
// ring, takes on P machines. Beside it what the closed form of docs/scaling.md says.
//
// usage: bench_scaling [NAME=VALUE ...]     entries=2716257 rows=50000 columns=5000 rank=14 processes=1,2,4,8 ...

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

struct Model {
  std::map<std::string, double> value{
      {"entries", 2716257},    // of the matrix
      {"rows", 50000},         //
      {"columns", 5000},       //
      {"rank", 14},            //
      {"ns_per_entry", 80},    // of work in a half step of als, at rank 14
      {"ns_per_line", 150},    // the same
      {"ns_per_descent", 60},  // of an entry in an epoch of descent, at rank 14
      {"microseconds", 5},     // until a message arrives
      {"gigabytes", 2},        // a second, that a machine sends
      {"variance", 1},         // 1: of each line another goes beside it, as of posterior variances; 0: none
      {"cores", 0},            // that all processes share; 0: each has its own
      {"unlike", 0.02},        // standard deviation of the machines' speeds, and of a machine's from step to step
      {"popularity", 0.9},     // columns are as popular as (r + 10)^-popularity; rows 2/3 of that
      {"sweeps", 20},          // that are run
  };
  std::vector<int> processes{1, 2, 3, 4, 6, 8};

  double operator[](const char* name) const { return value.at(name); }
  /// How much longer work takes where processes share cores: one core has most of them.
  double crowding(int count) const { return (*this)["cores"] > 0 ? std::ceil(count / (*this)["cores"]) : 1; }
  double line_bytes() const { return ((*this)["rank"] + 2) * 4; }
  // Work grows with the square of the rank for an entry of als, with the cube for a line, and as the rank in descent.
  double entry_seconds() const { return (*this)["ns_per_entry"] * 1e-9 * std::pow(((*this)["rank"] + 2) / 16, 2); }
  double row_seconds() const { return (*this)["ns_per_line"] * 1e-9 * std::pow(((*this)["rank"] + 2) / 16, 3); }
  double descent_seconds() const { return (*this)["ns_per_descent"] * 1e-9 * ((*this)["rank"] + 2) / 16; }
};

// How many of `lines` lines some entries have, drawn as the lines are popular: sum over lines of 1 - exp(-entries q).
double lines_needed(double lines, double entries, double popularity) {
  constexpr double kGrows = 1.02;
  double total = 0, needed = 0;
  const auto for_each_stretch = [&](const auto& visit) {
    for (double begin = 0; begin < lines;) {
      const double end = std::min(lines, std::max(begin + 1, begin * kGrows));
      visit(end - begin, std::pow((begin + end) / 2 + 10, -popularity));
      begin = end;
    }
  };
  for_each_stretch([&](double count, double q) { total += count * q; });
  for_each_stretch([&](double count, double q) { needed += count * -std::expm1(-entries * q / total); });
  return needed;
}

double latency(const Model& model, int count) {
  return count > 1 ? model["microseconds"] * 1e-6 * std::ceil(std::log2(count)) : 0;
}

// Numbers that all processes give and add up, in a half step.
constexpr int kSums = 6;

struct HalfStep {
  double work;      // seconds of a process
  double arriving;  // bytes that it needs of the other side
};

std::vector<HalfStep> half_steps(const Model& model, int count) {
  std::vector<HalfStep> steps;
  const double share = model["entries"] / count;
  const double tails[] = {model["popularity"] * 2 / 3, model["popularity"]};
  const double lines[] = {model["rows"], model["columns"]};
  for (int side = 0; side < 2; ++side) {
    const double others = lines_needed(lines[1 - side], share, tails[1 - side]);
    const double foreign = others * (count - 1) / count;
    steps.push_back(
        {model.crowding(count) * (share * model.entry_seconds() + lines[side] / count * model.row_seconds()),
         foreign * model.line_bytes() * (1 + model["variance"])});
  }
  return steps;
}

double closed_form_of_als(const Model& model, int count) {
  double seconds = 0;
  for (const HalfStep& step : half_steps(model, count)) {
    seconds += step.work + step.arriving / (model["gigabytes"] * 1e9) + (kSums + 2) * latency(model, count);
  }
  return seconds;
}

double closed_form_of_ring(const Model& model, int count) {
  const double work = model.crowding(count) * model["entries"] / count * model.descent_seconds();
  const double block = model["columns"] / count * model.line_bytes() / (model["gigabytes"] * 1e9);
  // Of each step the longer one of work and the block's way.
  return count * std::max(work / count, count > 1 ? 2 * block : 0) + (count > 1 ? 2 * count * latency(model, 2) : 0);
}

// Machines that differ, and steps that do.
class Speeds {
 public:
  Speeds(const Model& model, int count) : unlike_(model["unlike"]), of_machine_(static_cast<size_t>(count)) {
    for (double& speed : of_machine_) speed = factor();
  }
  double seconds(int process, double work) { return work * of_machine_[static_cast<size_t>(process)] * factor(); }

 private:
  double factor() { return std::max(0.5, 1 + unlike_ * normal_(random_)); }

  double unlike_;
  std::mt19937_64 random_{1};
  std::normal_distribution<double> normal_;
  std::vector<double> of_machine_;
};

// Every process works, sends what others need while it reckons what follows, and goes on when all have given their sums
// and what it needs is there.
double simulated_als(const Model& model, int count) {
  const std::vector<HalfStep> steps = half_steps(model, count);
  const auto p = static_cast<size_t>(count);
  Speeds speeds(model, count);
  std::vector<double> now(p, 0);
  const auto sweeps = static_cast<int>(model["sweeps"]);
  for (int step = 0; step < 2 * sweeps; ++step) {
    const HalfStep& half = steps[static_cast<size_t>(step % 2)];
    std::vector<double> done(p);
    for (size_t i = 0; i < p; ++i) done[i] = now[i] + speeds.seconds(static_cast<int>(i), half.work);
    const double all_done = *std::max_element(done.begin(), done.end()) + kSums * latency(model, count);
    const HalfStep& next = steps[static_cast<size_t>((step + 1) % 2)];
    for (size_t i = 0; i < p; ++i) {
      // Messages of all others come over one line, each no sooner than it was sent.
      std::vector<double> sent(done);
      sent.erase(sent.begin() + static_cast<int64_t>(i));
      std::sort(sent.begin(), sent.end());
      double arrived = done[i];
      for (const double at : sent) {
        arrived = std::max(arrived, at + 2 * latency(model, 2)) +
                  next.arriving / static_cast<double>(count - 1) / (model["gigabytes"] * 1e9);
      }
      now[i] = std::max(all_done, arrived);
    }
  }
  return *std::max_element(now.begin(), now.end()) / sweeps;
}

// A process works with a block when it is there, and when it is done with the one before; what it found goes on to the
// one before it in the ring.
double simulated_ring(const Model& model, int count) {
  const auto p = static_cast<size_t>(count);
  Speeds speeds(model, count);
  const double work = model.crowding(count) * model["entries"] / count / count * model.descent_seconds();
  const double wait = count > 1 ? latency(model, 2) : 0;
  const double sending = count > 1 ? model["columns"] / count * model.line_bytes() / (model["gigabytes"] * 1e9) : 0;
  std::vector<double> now(p, 0), line_free(p, 0);
  // When what a process has at a time is there: its line carries one thing after another.
  const auto arrives = [&](size_t from, double at) {
    line_free[from] = std::max(line_free[from], at) + sending;
    return line_free[from] + wait;
  };
  const auto epochs = static_cast<int>(model["sweeps"]);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::vector<double> block_here(now), gradient_here(now);
    for (int step = 0; step < count; ++step) {
      std::vector<double> done(p), next_block(p), next_gradient(p);
      for (size_t i = 0; i < p; ++i) {
        const size_t before = (i + p - 1) % p;  // in the ring
        const double begin = std::max(now[i], block_here[i]);
        next_block[before] = arrives(i, begin);
        done[i] = std::max(begin + speeds.seconds(static_cast<int>(i), work), gradient_here[i]);
        next_gradient[before] = arrives(i, done[i]);
      }
      now = done;
      block_here = next_block;
      gradient_here = next_gradient;
    }
    for (size_t i = 0; i < p; ++i) now[i] = std::max(now[i], gradient_here[i]);
    // The loss is the same everywhere before the next epoch begins.
    std::fill(now.begin(), now.end(), *std::max_element(now.begin(), now.end()) + latency(model, count));
  }
  return now[0] / epochs;
}

std::string shown(double seconds) {
  return seconds < 1 ? fmt::format("{:.2f} ms", seconds * 1e3) : fmt::format("{:.2f} s", seconds);
}

Model parse(int argc, char** argv) {
  Model model;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const char* value = equals == std::string::npos ? "" : argv[i] + equals + 1;
    if (name == "processes") {
      model.processes.clear();
      for (const char* at = value; *at != '\0';) {
        char* end;
        model.processes.push_back(static_cast<int>(std::strtol(at, &end, 10)));
        at = *end == ',' ? end + 1 : end;
        if (model.processes.back() < 1) model.value.clear();
      }
    } else if (model.value.contains(name)) {
      model.value[name] = std::strtod(value, nullptr);
    } else {
      model.value.clear();
    }
    if (model.value.empty()) {
      fmt::print(stderr, "bench_scaling: {} is not understood; expected NAME=VALUE\n", word);
      std::exit(2);
    }
  }
  return model;
}

}  // namespace

int main(int argc, char** argv) {
  const Model model = parse(argc, argv);
  fmt::print("{:>9}  {:>12} {:>12} {:>11}  {:>12} {:>12} {:>11}  {:>12}\n", "processes", "a sweep", "simulated",
             "efficiency", "an epoch", "simulated", "efficiency", "MB a sweep");
  double als_of_one = 0, ring_of_one = 0;
  for (const int count : model.processes) {
    const double als = closed_form_of_als(model, count), ring = closed_form_of_ring(model, count);
    const double als_run = simulated_als(model, count), ring_run = simulated_ring(model, count);
    if (als_of_one == 0) {
      als_of_one = als_run * count;
      ring_of_one = ring_run * count;
    }
    double bytes = 0;
    for (const HalfStep& step : half_steps(model, count)) bytes += step.arriving;
    fmt::print("{:>9}  {:>12} {:>12} {:>10.0f}%  {:>12} {:>12} {:>10.0f}%  {:>12.3g}\n", count, shown(als),
               shown(als_run), 100 * als_of_one / (als_run * count), shown(ring), shown(ring_run),
               100 * ring_of_one / (ring_run * count), bytes / 1e6);
  }
}
