#include <factorize/processes/started.h>
#include <wengert/distributed.h>
#include <wengert/wengert.h>

#include <chrono>
#include <numeric>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::distributed::ProcessGroup;

// Those of an MPI program.
class MpiProcesses final : public Processes {
 public:
  MpiProcesses() : Processes(ProcessGroup::world().getRank(), ProcessGroup::world().getSize()) {}

  std::string host() const override { return ProcessGroup::getHost(); }
  int64_t bytes_sent() const override { return group_.bytes_sent(); }
  double seconds_waited() const override { return std::chrono::duration<double>(waited_).count(); }
  void abort(int status) const override { group_.abort(status); }

  Tensor all(const Tensor& x) const override {
    const Waiting waiting(waited_);
    return group_.allgather(x.contiguous());
  }
  Arriving exchange(const Tensor& x, const std::vector<int64_t>& to, const std::vector<int64_t>& from) const override {
    std::vector<int64_t> sizes = x.sizes().vec();
    sizes[0] = std::accumulate(from.begin(), from.end(), int64_t{0});
    const Tensor received = wengert::empty(sizes, x.options());
    const auto work =
        std::make_shared<wengert::distributed::Work>(group_.alltoall_base(received, x.contiguous(), from, to));
    return {received, [this, work] {
              const Waiting waiting(waited_);
              work->wait();
            }};
  }
  std::vector<std::string> exchange(const std::vector<std::string>& to_each) const override {
    const Waiting waiting(waited_);
    return group_.alltoall(to_each);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Adds the time that it lives.
  class Waiting {
   public:
    explicit Waiting(Clock::duration& waited) : waited_(waited) {}
    ~Waiting() { waited_ += Clock::now() - begin_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    Clock::duration& waited_;
    Clock::time_point begin_ = Clock::now();
  };

  ProcessGroup& group_ = ProcessGroup::world();
  mutable Clock::duration waited_{};
};

}  // namespace

Processes& Processes::world() {
  static Processes& those = *(number_started() > 1 ? new MpiProcesses : new Processes);  // as long as MPI
  return those;
}

}  // namespace factorize
