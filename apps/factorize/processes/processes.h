#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace factorize {

/// Rows of a tensor that are on their way from other processes.
class Arriving {
 public:
  Arriving() = default;
  Arriving(wengert::Tensor x, std::function<void()> wait) : x_(std::move(x)), wait_(std::move(wait)) {}

  /// Returns when they are there.
  const wengert::Tensor& get();

 private:
  wengert::Tensor x_;
  std::function<void()> wait_;  // empty: nothing to wait for
};

/// The processes that make a model together (`mpirun -n 4 factorize fit`), each with an index from 0 on; most often one
/// alone. All of them call the same methods in the same order. What several give is added in the order of their
/// indices, so that as many processes come to the same bits in each run.
class Processes {
 public:
  /// One alone.
  Processes() = default;
  virtual ~Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  static const Processes& alone();
  /// Those that mpirun started this one among. Throws wengert::Error where it did, and this program was built without
  /// MPI.
  static Processes& world();

  int index() const { return index_; }
  int count() const { return count_; }
  bool is_first() const { return index_ == 0; }
  bool are_several() const { return count_ > 1; }
  virtual std::string host() const { return "this machine"; }
  /// Bytes that this process gave to others.
  virtual int64_t bytes_sent() const { return 0; }
  /// Seconds that it waited for them.
  virtual double seconds_waited() const { return 0; }
  /// Ends them all; does not return.
  virtual void abort(int status) const;

  /// The x of all, (n_p, ...), one after another.
  virtual wengert::Tensor all(const wengert::Tensor& x) const { return x; }
  /// The same in the first; nothing, (0, ...), elsewhere.
  wengert::Tensor all_at_first(const wengert::Tensor& x) const;
  /// Rows of x go to others, to[p] of them to process p; from[p] come from it.
  virtual Arriving exchange(const wengert::Tensor& x, const std::vector<int64_t>& to,
                            const std::vector<int64_t>& from) const;
  /// Bytes for each; returns those of each.
  virtual std::vector<std::string> exchange(const std::vector<std::string>& to_each) const { return to_each; }
  /// A piece of each, one at a time, in the first: take(piece). So no process has room for all.
  void to_first(const std::string& piece, const std::function<void(std::string_view)>& take) const;

  wengert::Tensor sum(const wengert::Tensor& x) const;
  double sum(double x) const;
  int64_t sum(int64_t x) const;
  double least(double x) const { return -most(-x); }
  double most(double x) const;
  /// Whether it is so in any.
  bool any(bool x) const { return are_several() ? most(x ? 1 : 0) > 0 : x; }
  /// Of each.
  std::vector<double> of_each(double x) const;
  std::vector<int64_t> of_each(int64_t x) const;
  std::vector<std::string> of_each(const std::string& x) const;
  /// The sum of x in those before this one.
  int64_t sum_before(int64_t x) const;

 protected:
  Processes(int index, int count) : index_(index), count_(count) {}

 private:
  int index_ = 0, count_ = 1;
};

/// Numbers for each, as bytes.
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
template <class T>
std::vector<std::string> bytes_of_each(const std::vector<std::vector<T>>& lists) {
  std::vector<std::string> bytes;
  bytes.reserve(lists.size());
  for (const std::vector<T>& list : lists) bytes.push_back(bytes_of(list));
  return bytes;
}
template <class T>
void add_values(std::vector<T>& values, const std::string& bytes) {
  const auto* begin = reinterpret_cast<const T*>(bytes.data());
  values.insert(values.end(), begin, begin + bytes.size() / sizeof(T));
}

}  // namespace factorize
