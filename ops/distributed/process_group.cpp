#include <mpi.h>
#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/distributed/process_group.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace wengert::distributed {
namespace {

// MPI counts in int. What is larger goes in pieces.
constexpr int64_t kPiece = 1 << 28;  // elements

void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  std::string text(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  text.resize(static_cast<size_t>(length));
  fail("{}: {}", what, text);
}

MPI_Datatype type_of(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Bool: return MPI_C_BOOL;
    case ScalarType::Long: return MPI_INT64_T;
    case ScalarType::Float: return MPI_FLOAT;
    case ScalarType::Double: return MPI_DOUBLE;
  }
  fail("no such dtype");
}

MPI_Op operation_of(ReduceOp op, ScalarType dtype) {
  if (dtype == kBool) {
    check(op == ReduceOp::MIN || op == ReduceOp::MAX, "bools have no sum over processes; MIN is `all`, MAX is `any`");
    return op == ReduceOp::MIN ? MPI_LAND : MPI_LOR;
  }
  switch (op) {
    case ReduceOp::SUM: return MPI_SUM;
    case ReduceOp::AVG:
      check(isFloatingType(dtype), "the mean over processes is of floating point tensors");
      return MPI_SUM;
    case ReduceOp::PRODUCT: return MPI_PROD;
    case ReduceOp::MIN: return MPI_MIN;
    case ReduceOp::MAX: return MPI_MAX;
  }
  fail("no such reduction");
}

char* memory_of(const Tensor& x) {
  tracing::refuse("communication between processes");
  check(!x.is_sparse() && x.is_contiguous(), "processes exchange contiguous tensors; call contiguous()");
  return static_cast<char*>(x.impl()->data());
}

// Calls send(first element, count) for pieces that MPI can count.
template <class Send>
void in_pieces(int64_t count, const Send& send) {
  for (int64_t begin = 0; begin < count; begin += kPiece)
    send(begin, static_cast<int>(std::min(kPiece, count - begin)));
}

int64_t row_bytes_of(const Tensor& x) {
  const int64_t bytes = numel_of(x.sizes().slice(1, x.sizes().size() - 1)) * x.element_size();
  check(bytes < INT32_MAX, "a row has {} bytes, of which MPI can't count as many", bytes);
  return bytes;
}

// A row of a tensor, as what MPI counts.
class RowType {
 public:
  explicit RowType(int64_t bytes) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;
  operator MPI_Datatype() const { return type_; }  // NOLINT: implicit

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

// How much goes to each process, or comes from it, and where that begins, as MPI has it.
struct Shares {
  std::vector<int> counts, starts;

  explicit Shares(const std::vector<int64_t>& rows) {
    int64_t begin = 0;
    for (const int64_t count : rows) {
      check(begin + count < INT32_MAX, "{} rows are more than MPI can count", begin + count);
      counts.push_back(static_cast<int>(count));
      starts.push_back(static_cast<int>(begin));
      begin += count;
    }
  }
};

}  // namespace

struct Work::Requests {
  std::vector<MPI_Request> pending;
  Tensor tensor, input;        // whose memory is in use
  std::vector<Shares> shares;  // as is theirs
  double divisor = 1;          // of AVG
};

Work::Work() = default;
Work::~Work() {
  if (requests_ && !requests_->pending.empty()) {
    MPI_Waitall(static_cast<int>(requests_->pending.size()), requests_->pending.data(), MPI_STATUSES_IGNORE);
  }
}
Work::Work(Work&&) noexcept = default;
Work& Work::operator=(Work&&) noexcept = default;

void Work::wait() {
  if (!requests_) return;
  const std::unique_ptr<Requests> done = std::move(requests_);
  check_mpi(MPI_Waitall(static_cast<int>(done->pending.size()), done->pending.data(), MPI_STATUSES_IGNORE), "wait");
  done->pending.clear();
  const NoGradGuard no_grad;
  if (done->divisor != 1) done->tensor.div_(done->divisor);
  done->tensor.impl()->storage->bump_version();
}

bool Work::isCompleted() {
  if (!requests_) return true;
  int over = 0;
  check_mpi(
      MPI_Testall(static_cast<int>(requests_->pending.size()), requests_->pending.data(), &over, MPI_STATUSES_IGNORE),
      "test");
  return over != 0;
}

struct ProcessGroup::Communicator {
  MPI_Comm handle = MPI_COMM_NULL;
};

namespace {

void finalize() {
  int over = 0;
  MPI_Finalized(&over);
  if (over == 0) MPI_Finalize();
}

void start() {
  int running = 0;
  MPI_Initialized(&running);
  if (running != 0) return;
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  check(provided >= MPI_THREAD_FUNNELED, "this MPI can't be used by a program with threads");
  std::atexit(finalize);
}

}  // namespace

ProcessGroup::ProcessGroup(std::unique_ptr<Communicator> communicator) : communicator_(std::move(communicator)) {
  check_mpi(MPI_Comm_rank(communicator_->handle, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(communicator_->handle, &size_), "MPI_Comm_size");
}
ProcessGroup::~ProcessGroup() = default;

// Neither is ever destroyed: tensors may still be on their way when the program's statics go.
ProcessGroup& ProcessGroup::world() {
  static ProcessGroup& all = *[] {
    start();
    auto communicator = std::make_unique<Communicator>();
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &communicator->handle), "MPI_Comm_dup");
    return new ProcessGroup(std::move(communicator));
  }();
  return all;
}
ProcessGroup& ProcessGroup::of_this_machine() {
  static ProcessGroup& those = *[] {
    auto communicator = std::make_unique<Communicator>();
    check_mpi(MPI_Comm_split_type(world().communicator_->handle, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                                  &communicator->handle),
              "MPI_Comm_split_type");
    return new ProcessGroup(std::move(communicator));
  }();
  return those;
}

void ProcessGroup::barrier() { check_mpi(MPI_Barrier(communicator_->handle), "barrier"); }

Work ProcessGroup::allreduce(const Tensor& x, ReduceOp op) {
  char* data = memory_of(x);
  const MPI_Datatype type = type_of(x.dtype());
  const MPI_Op operation = operation_of(op, x.dtype());
  Work work;
  work.requests_ = std::make_unique<Work::Requests>();
  work.requests_->tensor = x.detach();
  if (op == ReduceOp::AVG) work.requests_->divisor = size_;
  in_pieces(x.numel(), [&](int64_t begin, int count) {
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, data + begin * x.element_size(), count, type, operation,
                             communicator_->handle, &work.requests_->pending.emplace_back()),
              "allreduce");
  });
  bytes_sent_ += int64_t{2} * (size_ - 1) * x.numel() * x.element_size() / size_;
  return work;
}

Work ProcessGroup::broadcast(const Tensor& x, int root) {
  check(root >= 0 && root < size_, "broadcast: there is no rank {} among {} processes", root, size_);
  char* data = memory_of(x);
  Work work;
  work.requests_ = std::make_unique<Work::Requests>();
  work.requests_->tensor = x.detach();
  in_pieces(x.numel(), [&](int64_t begin, int count) {
    check_mpi(MPI_Ibcast(data + begin * x.element_size(), count, type_of(x.dtype()), root, communicator_->handle,
                         &work.requests_->pending.emplace_back()),
              "broadcast");
  });
  if (rank_ == root) bytes_sent_ += (size_ - 1) * x.numel() * x.element_size();
  return work;
}

Tensor ProcessGroup::allgather(const Tensor& x, std::vector<int64_t>* rows) {
  check(x.dim() > 0, "allgather: tensors are put side by side along dimension 0, and this one has none");
  std::vector<int64_t> counts(static_cast<size_t>(size_));
  const int64_t own = x.size(0);
  check_mpi(MPI_Allgather(&own, 1, MPI_INT64_T, counts.data(), 1, MPI_INT64_T, communicator_->handle), "allgather");
  Dims sizes(x.sizes());
  sizes[0] = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  Tensor all = empty(sizes, x.dtype());
  const int64_t row_bytes = row_bytes_of(x);
  const RowType row(row_bytes);
  const Shares shares(counts);
  check_mpi(MPI_Allgatherv(memory_of(x), static_cast<int>(own), row, memory_of(all), shares.counts.data(),
                           shares.starts.data(), row, communicator_->handle),
            "allgather");
  bytes_sent_ += (size_ - 1) * own * row_bytes;
  if (rows != nullptr) *rows = std::move(counts);
  return all;
}

Tensor ProcessGroup::reduce_scatter(const Tensor& x, const std::vector<int64_t>& rows, ReduceOp op) {
  check(x.dim() > 0 && static_cast<int>(rows.size()) == size_ &&
            std::accumulate(rows.begin(), rows.end(), int64_t{0}) == x.size(0),
        "reduce_scatter: rows says how many of the {} rows each of the {} processes gets", x.dim() > 0 ? x.size(0) : 0,
        size_);
  Dims sizes(x.sizes());
  const int64_t width = numel_of(x.sizes().slice(1, x.sizes().size() - 1));
  sizes[0] = rows[static_cast<size_t>(rank_)];
  Tensor own = empty(sizes, x.dtype());
  std::vector<int> counts;
  for (const int64_t count : rows) {
    check(count * width < INT32_MAX, "reduce_scatter: {} elements for one process are more than MPI can count",
          count * width);
    counts.push_back(static_cast<int>(count * width));
  }
  check_mpi(MPI_Reduce_scatter(memory_of(x), memory_of(own), counts.data(), type_of(x.dtype()),
                               operation_of(op, x.dtype()), communicator_->handle),
            "reduce_scatter");
  bytes_sent_ += (x.numel() - own.numel()) * x.element_size();
  const NoGradGuard no_grad;
  if (op == ReduceOp::AVG) own.div_(size_);
  return own;
}

Work ProcessGroup::alltoall_base(const Tensor& output, const Tensor& input, const std::vector<int64_t>& output_rows,
                                 const std::vector<int64_t>& input_rows) {
  for (const auto& [x, rows] : {std::pair(&output, &output_rows), std::pair(&input, &input_rows)}) {
    check(x->dim() > 0 && static_cast<int>(rows->size()) == size_ &&
              std::accumulate(rows->begin(), rows->end(), int64_t{0}) == x->size(0),
          "alltoall_base: rows say how many of the {} rows each of the {} processes gets or gives",
          x->dim() > 0 ? x->size(0) : 0, size_);
  }
  check(input.dtype() == output.dtype() && row_bytes_of(input) == row_bytes_of(output),
        "alltoall_base: rows are of one dtype and size");
  Work work;
  work.requests_ = std::make_unique<Work::Requests>();
  work.requests_->tensor = output.detach();
  work.requests_->input = input.detach();
  std::vector<Shares>& shares = work.requests_->shares;
  shares.emplace_back(input_rows);
  shares.emplace_back(output_rows);
  const RowType row(row_bytes_of(input));
  check_mpi(MPI_Ialltoallv(memory_of(input), shares[0].counts.data(), shares[0].starts.data(), row, memory_of(output),
                           shares[1].counts.data(), shares[1].starts.data(), row, communicator_->handle,
                           &work.requests_->pending.emplace_back()),
            "alltoall_base");
  bytes_sent_ += (input.size(0) - input_rows[static_cast<size_t>(rank_)]) * row_bytes_of(input);
  return work;
}

// Each pair by itself, in pieces that MPI can count.
std::vector<std::string> ProcessGroup::alltoall(const std::vector<std::string>& to_each) {
  check(static_cast<int>(to_each.size()) == size_, "alltoall: expected bytes for {} processes, got {}", size_,
        to_each.size());
  std::vector<int64_t> sent, received(to_each.size());
  for (const std::string& bytes : to_each) sent.push_back(static_cast<int64_t>(bytes.size()));
  check_mpi(MPI_Alltoall(sent.data(), 1, MPI_INT64_T, received.data(), 1, MPI_INT64_T, communicator_->handle),
            "alltoall");
  std::vector<std::string> from_each;
  from_each.reserve(received.size());
  for (const int64_t size : received) from_each.emplace_back(static_cast<size_t>(size), '\0');
  std::vector<MPI_Request> pending;
  for (int p = 0; p < size_; ++p) {
    const auto at = static_cast<size_t>(p);
    in_pieces(received[at], [&](int64_t begin, int count) {
      check_mpi(MPI_Irecv(from_each[at].data() + begin, count, MPI_BYTE, p, 0, communicator_->handle,
                          &pending.emplace_back()),
                "alltoall");
    });
  }
  for (int p = 0; p < size_; ++p) {
    const auto at = static_cast<size_t>(p);
    in_pieces(sent[at], [&](int64_t begin, int count) {
      check_mpi(
          MPI_Isend(to_each[at].data() + begin, count, MPI_BYTE, p, 0, communicator_->handle, &pending.emplace_back()),
          "alltoall");
    });
    if (p != rank_) bytes_sent_ += sent[at];
  }
  check_mpi(MPI_Waitall(static_cast<int>(pending.size()), pending.data(), MPI_STATUSES_IGNORE), "alltoall");
  return from_each;
}

std::string ProcessGroup::getHost() {
  std::string name(MPI_MAX_PROCESSOR_NAME, '\0');
  int length = 0;
  check_mpi(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  name.resize(static_cast<size_t>(length));
  return name;
}

void ProcessGroup::abort(int status) {
  MPI_Abort(communicator_->handle, status);
  std::abort();
}

}  // namespace wengert::distributed
