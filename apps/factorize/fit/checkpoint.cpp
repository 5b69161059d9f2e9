#include <factorize/fit/checkpoint.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <filesystem>

namespace factorize {

Checkpoint::Checkpoint(const Processes& processes, std::string path, double seconds, std::string run)
    : processes_(processes),
      path_(std::move(path)),
      run_(std::move(run)),
      interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

void Checkpoint::resume() {
  const bool is_there = std::filesystem::exists(path_);
  if (!processes_.any(is_there)) return;
  if (processes_.any(!is_there)) {
    throw wengert::Error(fmt::format("{}: not all processes see this checkpoint; they need the folder", path_));
  }
  wengert::serialize::InputArchive archive;
  archive.load_from(path_);
  std::string run;
  archive.read("run", run);
  if (run != run_) {
    throw wengert::Error(fmt::format("{}: the checkpoint is another run's ({}); this one is {}", path_, run, run_));
  }
  resumed_ = std::move(archive);
}

bool Checkpoint::is_due() const { return processes_.any(Clock::now() - last_ >= interval_); }

void Checkpoint::save(const std::function<void(wengert::serialize::OutputArchive&)>& fill) {
  wengert::serialize::OutputArchive archive;
  archive.write("run", run_);
  fill(archive);
  if (processes_.is_first()) archive.save_to(path_);
  last_ = Clock::now();
}

wengert::Tensor tensor_of(const std::vector<double>& numbers) {
  wengert::Tensor tensor = wengert::empty({static_cast<int64_t>(numbers.size())}, wengert::kDouble);
  std::copy(numbers.begin(), numbers.end(), tensor.data_ptr<double>());
  return tensor;
}

std::vector<double> numbers_in(const wengert::serialize::InputArchive& archive, const std::string& key) {
  wengert::Tensor tensor;
  archive.read(key, tensor);
  if (tensor.dtype() != wengert::kDouble || tensor.dim() != 1) archive.fail(key + " is no list of numbers");
  return {tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel()};
}

}  // namespace factorize
