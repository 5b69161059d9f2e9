#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wengert {

/// Measures what this thread's operations and Nodes take, for as long as it lives, forward and backward apart:
///
///     const wengert::profile profile;
///     for (int i = 0; i < 100; ++i) step();
///     std::cout << profile.table();
///
/// An operation is one that is not made of others: `softplus`, or the `sum` and `div` in a loss. Its time goes from
/// when it asks for memory, or starts to write, to when it is done; a Node's is that of all it does. Threads that share
/// an operation's work are in its time, threads with work of their own are not heard. Profiles may stand one in
/// another: the innermost measures, and a Trace on the same thread hears of no Node meanwhile. What another thread
/// gives back still counts as held. An optimizer's update of a parameter is the operation `optim::step`, a Replay the
/// operation `replay`.
class Profile {
 public:
  struct Row {
    std::string name;  ///< "mm", or of a Node "MmBackward0"
    bool is_node;      ///< an operation's Node, rather than an operation
    bool in_backward;  ///< while a Node ran
    int64_t calls = 0;
    int64_t nanoseconds = 0;  ///< of all calls
    int64_t bytes = 0;        ///< that they asked for, of all calls
  };
  /// What was held when most was.
  struct Holder {
    std::string name;  ///< the operation that made the tensors
    int64_t bytes;
  };

  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// By falling time.
  std::vector<Row> rows() const;
  /// Memory of tensors made since the profile began: the most at a time, and by whom, by falling size.
  int64_t peak_bytes() const;
  std::vector<Holder> holders_at_peak() const;

  /// The rows and the holders, for people.
  std::string table() const;
  /// Each call on a line of time, and the memory held with who holds it, in the format of Chrome's traces, which
  /// ui.perfetto.dev opens. Of the first million events.
  std::string chrome_trace() const;

 private:
  class Notes;
  std::unique_ptr<Notes> notes_;
};

using profile = Profile;

}  // namespace wengert
