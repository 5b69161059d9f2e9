#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wengert::distributed {

/// How the tensors of several processes become one: as c10d's.
enum class ReduceOp : uint8_t { SUM, AVG, PRODUCT, MIN, MAX };

/// Something under way between processes.
class Work {
 public:
  /// Over already.
  Work();
  ~Work();
  Work(Work&&) noexcept;
  Work& operator=(Work&&) noexcept;

  /// Returns when it is over. Throws wengert::Error if it failed.
  void wait();
  /// Whether it is over; lets MPI get on with it.
  bool isCompleted();

 private:
  friend class ProcessGroup;
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

/// Processes that were started together (`mpirun -n 4 program`), each with a rank from 0 on. All of them have to call
/// the same methods in the same order, each with tensors of the same dtype and, unless it says otherwise, sizes. The
/// methods below record nothing, and of what they are given they want dense memory; ops/distributed/collectives.h has
/// those with gradients. Errors of one process end all of them, as MPI has it, but for what is checked before anything
/// is sent.
class ProcessGroup {
 public:
  /// All processes. The first call starts MPI, unless the program has; it then ends with the program.
  static ProcessGroup& world();
  /// Those that have one address space of memory in common with this one.
  static ProcessGroup& of_this_machine();

  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int getRank() const { return rank_; }
  int getSize() const { return size_; }
  /// The name of the machine that this process runs on.
  static std::string getHost();

  void barrier();
  /// Ends all processes, this one with the status.
  [[noreturn]] void abort(int status);
  /// x <- what all have of it, reduced. Must not be looked at before it is over. float32, float64, int64; bool for MIN
  /// (all) and MAX (any).
  Work allreduce(const Tensor& x, ReduceOp op = ReduceOp::SUM);
  /// x <- the root's.
  Work broadcast(const Tensor& x, int root = 0);
  /// Each process's x, which may differ in size along dimension 0, side by side along it. `rows`: the sizes.
  Tensor allgather(const Tensor& x, std::vector<int64_t>* rows = nullptr);
  /// The sum of all x's, of which each process gets the rows that fall to it: rows[rank] of them.
  Tensor reduce_scatter(const Tensor& x, const std::vector<int64_t>& rows, ReduceOp op = ReduceOp::SUM);
  /// Rows of `input` go to others, input_rows[p] of them to process p, in the order of the processes; those of `output`
  /// come from them so, output_rows[p] from process p, which has to give as many. Neither may be looked at before it is
  /// over.
  Work alltoall_base(const Tensor& output, const Tensor& input, const std::vector<int64_t>& output_rows,
                     const std::vector<int64_t>& input_rows);
  /// Bytes for each process; returns those that each has for this one.
  std::vector<std::string> alltoall(const std::vector<std::string>& to_each);

  /// Bytes that this process gave to others, as an algorithm that sends no byte twice would: of allreduce 2 (P - 1) / P
  /// of the tensor.
  int64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Communicator;
  explicit ProcessGroup(std::unique_ptr<Communicator> communicator);

  std::unique_ptr<Communicator> communicator_;
  int rank_ = 0, size_ = 1;
  int64_t bytes_sent_ = 0;
};

}  // namespace wengert::distributed
