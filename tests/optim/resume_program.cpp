#include <optim/cases.h>

#include <cstdio>
#include <filesystem>

// Trains small models from step FROM up to step TO, each with its optimizer, schedule and averages, and with dropout
// and clipped gradients. State is loaded from FOLDER unless FROM is 0, and saved there.
//
// usage: resume_program FROM TO FOLDER

namespace wengert::test {
namespace {

using namespace wengert::optim;  // NOLINT

// Two layers behind the rows of a table. `sparse`: whether the table's gradient has rows alone.
class Training {
 public:
  Training(const OptimizerCase& optimizer, const ScheduleCase& schedule, bool sparse) : sparse_(sparse) {
    manual_seed(3);
    for (const Dims& shape : {Dims{10, 4}, Dims{4, 5}, Dims{5, 1}}) {
      parameters_.push_back(randn(shape, dtype(kDouble).requires_grad(true)));
    }
    optimizer_ = optimizer.make(sparse ? std::vector<Tensor>{parameters_[0]} : parameters_);
    const bool lowered = optimizer_->param_groups()[0].options().momentum_or_beta1() == nullptr && schedule.momentum;
    schedule_ = (lowered ? schedule_cases()[0] : schedule).make(*optimizer_);
    ReduceLROnPlateauOptions options;
    options.patience = 1;
    plateau_ = std::make_unique<ReduceLROnPlateau>(*optimizer_, options);
    averages_ = std::make_unique<AveragedParameters>(parameters_, 0.9);
    generator_.seed(7);
  }

  void step() {
    set_rng_state(generator_);
    const Tensor loss = optimizer_->step([this] {
      optimizer_->zero_grad();
      const Tensor rows = tensor({3, 1, 4, 1, 5, 9, 2, 6}, kLong);
      const Tensor hidden =
          dropout(tanh(mm(embedding(parameters_[0], rows, -1, false, sparse_), parameters_[1])), 0.3, true);
      Tensor loss = (mm(hidden, parameters_[2]) - 1).pow(2).mean();
      loss.backward();
      if (!sparse_) nn::utils::clip_grad_norm_(parameters_, 0.5);
      return loss;
    });
    generator_ = get_rng_state();
    schedule_->step();
    plateau_->step(loss.item<double>());
    averages_->update_parameters();
  }

  void save(const std::string& path) const {
    serialize::OutputArchive archive;
    archive.write("optimizer", *optimizer_);
    archive.write("schedule", *schedule_);
    archive.write("plateau", *plateau_);
    archive.write("averages", *averages_);
    archive.write("generator", generator_);
    for (size_t i = 0; i < parameters_.size(); ++i) archive.write("parameters." + std::to_string(i), parameters_[i]);
    archive.save_to(path);
  }

  void load(const std::string& path) {
    serialize::InputArchive archive;
    archive.load_from(path);
    archive.read("optimizer", *optimizer_);
    archive.read("schedule", *schedule_);
    archive.read("plateau", *plateau_);
    archive.read("averages", *averages_);
    archive.read("generator", generator_);
    for (size_t i = 0; i < parameters_.size(); ++i) archive.read("parameters." + std::to_string(i), parameters_[i]);
  }

 private:
  bool sparse_;
  std::vector<Tensor> parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  std::shared_ptr<LRScheduler> schedule_;
  std::unique_ptr<ReduceLROnPlateau> plateau_;
  std::unique_ptr<AveragedParameters> averages_;
  Generator generator_;
};

int run(int from, int to, const std::filesystem::path& folder) {
  std::vector<OptimizerCase> optimizers = optimizer_cases();
  const size_t dense = optimizers.size();
  optimizers.push_back({"LBFGS", [](const std::vector<Tensor>& p) {
                          return std::make_unique<LBFGS>(p, LBFGSOptions(0.1).max_iter(3));
                        }});
  optimizers.push_back({"LBFGS.strong_wolfe", [](const std::vector<Tensor>& p) {
                          return std::make_unique<LBFGS>(p, LBFGSOptions().max_iter(3).line_search_fn("strong_wolfe"));
                        }});
  optimizers.push_back({"SparseAdam", [](const std::vector<Tensor>& p) { return std::make_unique<SparseAdam>(p); }});
  optimizers.push_back({"SGD.sparse", [](const std::vector<Tensor>& p) {
                          return std::make_unique<SGD>(p, SGDOptions(0.1).momentum(0.9));
                        }});
  optimizers.push_back({"Adagrad.sparse", [](const std::vector<Tensor>& p) { return std::make_unique<Adagrad>(p); }});
  const std::vector<ScheduleCase> schedules = schedule_cases();
  // Each optimizer with a schedule of its own, and each schedule at least once: 50 and 19.
  for (size_t i = 0; i < optimizers.size(); ++i) {
    const std::string file = folder / (optimizers[i].name + ".safetensors");
    Training training(optimizers[i], schedules[i % schedules.size()], i >= dense + 2);
    if (from > 0) training.load(file);
    for (int step = from; step < to; ++step) training.step();
    training.save(file);
  }
  return 0;
}

}  // namespace
}  // namespace wengert::test

int main(int argc, char** argv) {
  try {
    return argc == 4 ? wengert::test::run(std::atoi(argv[1]), std::atoi(argv[2]), argv[3]) : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
