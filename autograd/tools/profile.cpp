#include <fmt/format.h>
#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/tape/observer.h>
#include <wengert/autograd/tools/profile.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <map>
#include <unordered_map>
#include <utility>

// Of a tensor's memory the Storage itself says by whose operation it was made: the number of the profile in the upper
// half of its note, that of the name in the lower. So nothing is looked up when it goes, and what another profile heard
// of is not counted.

namespace wengert {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostEvents = 1'000'000;
constexpr uint32_t kNameBits = 16, kNames = (1u << kNameBits) - 1;
constexpr uint16_t kUnnamed = 0;  // memory that no operation has claimed yet

// "log_softmax" for "LogSoftmaxBackward0"; names of operations stay.
std::string operation_of(std::string_view node) {
  std::string name;
  for (const char c : node.substr(0, node.find("Backward"))) {
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (is_upper && !name.empty() && std::islower(static_cast<unsigned char>(name.back())) != 0) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string for_people(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  return seconds < 1 ? fmt::format("{:.2f} ms", seconds * 1e3) : fmt::format("{:.2f} s ", seconds);
}
std::string bytes_for_people(int64_t bytes) {
  const auto count = static_cast<double>(bytes);
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  return bytes < 10'000'000 ? fmt::format("{:.0f} kB", count / 1e3) : fmt::format("{:.1f} MB", count / 1e6);
}

}  // namespace

class Profile::Notes final : public profiling::Listener, public autograd::BackwardObserver {
 public:
  Notes() : number_(next_number()), outer_(profiling::listener), observe_(*this), began_(Clock::now()) {
    names_.emplace_back("(no operation)");
    held_.push_back(0);
    profiling::listener = this;
  }
  ~Notes() { profiling::listener = outer_; }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  void allocated(Storage& storage) override {
    begins();
    storage.set_profile_note(number_ << kNameBits | kUnnamed);
    fresh_.push_back(&storage);
    const auto bytes = static_cast<int64_t>(storage.nbytes());
    fresh_bytes_ += bytes;
    held_[kUnnamed] += bytes;
    held_bytes_ += bytes;
    if (held_bytes_ > peak_bytes_) {
      peak_bytes_ = held_bytes_;
      held_at_peak_ = held_;
      peak_is_fresh_ = true;
    }
  }

  void freed(Storage& storage) override {
    if (storage.profile_note() >> kNameBits != number_) return;
    const auto holder = static_cast<uint16_t>(storage.profile_note() & kNames);
    const auto bytes = static_cast<int64_t>(storage.nbytes());
    held_[holder] -= bytes;
    held_bytes_ -= bytes;
    if (holder == kUnnamed) {
      const auto at = std::find(fresh_.rbegin(), fresh_.rend(), &storage);
      if (at != fresh_.rend()) fresh_.erase(std::next(at).base());
    } else {
      note_memory(now(), holder, -bytes);
    }
  }

  void begins() override {
    if (begin_ < 0) begin_ = now();
  }

  void done(const char* name) override {
    const int64_t end = now(), begin = begin_ < 0 ? end : begin_;
    begin_ = -1;
    const uint16_t id = id_of(name);
    const bool in_backward = !running_.empty();
    const int64_t bytes = claim_fresh(id, end);
    Totals& row = totals(id, in_backward);
    ++row.calls;
    row.nanoseconds += end - begin;
    row.bytes += bytes;
    if (events_.size() < kMostEvents) events_.push_back({begin, end, bytes, id, in_backward, false});
  }

  void backward_begins(ArrayRef<autograd::Edge>, const autograd::Gradients&) override {
    passes_.push_back({now(), running_.size()});
  }
  void node_begins(autograd::Node& node, const autograd::Gradients&) override {
    begin_ = -1;
    running_.push_back({id_of_node(node), now(), 0});
  }
  void node_ended(autograd::Node&, const autograd::Gradients&) override {
    const int64_t end = now();
    claim_fresh(running_.back().id, end);  // of loops that no operation stands around
    const Running node = running_.back();
    running_.pop_back();
    if (!running_.empty()) running_.back().bytes += node.bytes;
    Totals& row = totals(node.id, true);
    ++row.calls;
    row.nanoseconds += end - node.begin;
    row.bytes += node.bytes;
    if (events_.size() < kMostEvents) events_.push_back({node.begin, end, node.bytes, node.id, true, true});
    begin_ = -1;
  }
  void node_passed_over(autograd::Node&, const autograd::Gradients&) override {}
  void backward_ended() override {
    if (events_.size() < kMostEvents)
      events_.push_back({passes_.back().begin, now(), 0, id_of("backward"), true, true});
    running_.resize(passes_.back().outer);  // without a Node that threw
    passes_.pop_back();
  }

  std::vector<Row> rows() const {
    std::vector<Row> rows;
    for (size_t i = 0; i < totals_.size(); ++i) {
      const Totals& total = totals_[i];
      if (total.calls == 0) continue;
      const size_t id = i / 2;
      rows.push_back({names_[id], is_node_[id], i % 2 == 1, total.calls, total.nanoseconds, total.bytes});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.nanoseconds > b.nanoseconds; });
    return rows;
  }

  int64_t peak_bytes() const { return peak_bytes_; }
  std::vector<Holder> holders_at_peak() const {
    std::vector<Holder> holders;
    for (size_t id = 0; id < held_at_peak_.size(); ++id) {
      if (held_at_peak_[id] > 0) holders.push_back({names_[id], held_at_peak_[id]});
    }
    std::stable_sort(holders.begin(), holders.end(),
                     [](const Holder& a, const Holder& b) { return a.bytes > b.bytes; });
    return holders;
  }

  std::string chrome_trace() const {
    using Json = nlohmann::ordered_json;
    const auto microseconds = [](int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; };
    Json events = Json::array();
    for (const Event& event : events_) {
      events.push_back(Json{{"name", names_[event.id]},
                            {"cat", event.is_node       ? "node"
                                    : event.in_backward ? "backward"
                                                        : "forward"},
                            {"ph", "X"},
                            {"ts", microseconds(event.begin)},
                            {"dur", microseconds(event.end - event.begin)},
                            {"pid", 1},
                            {"tid", 1},
                            {"args", {{"bytes", event.bytes}}}});
    }
    // Each holder is a series of its own, whose sum is what is drawn.
    std::vector<int64_t> held(names_.size());
    for (const MemoryChange& change : memory_) {
      held[change.holder] += change.bytes;
      events.push_back(Json{{"name", "memory of tensors"},
                            {"ph", "C"},
                            {"ts", microseconds(change.at)},
                            {"pid", 1},
                            {"args", {{names_[change.holder], held[change.holder]}}}});
    }
    return Json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}}.dump();
  }

 private:
  struct Totals {
    int64_t calls = 0, nanoseconds = 0, bytes = 0;
  };
  struct Running {
    uint16_t id = 0;
    int64_t begin = 0, bytes = 0;
  };
  struct Pass {
    int64_t begin;
    size_t outer;  // Nodes that ran when it began
  };
  struct Event {
    int64_t begin, end, bytes;
    uint16_t id;
    bool in_backward, is_node;
  };
  struct MemoryChange {
    int64_t at, bytes;
    uint16_t holder;
  };

  static uint32_t next_number() {
    static constinit std::atomic<uint32_t> last{0};
    const uint32_t number = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return number & kNames ? number & kNames : next_number();  // 0 is nobody's
  }

  int64_t now() const { return std::chrono::nanoseconds(Clock::now() - began_).count(); }

  uint16_t id_of(const char* literal) {
    const auto [entry, is_new] = ids_of_literals_.try_emplace(literal, uint16_t{0});
    if (is_new) entry->second = id_of(operation_of(literal), false);
    return entry->second;
  }
  uint16_t id_of_node(const autograd::Node& node) {
    const autograd::NodeName name = node.source();
    if (*name.text == '\0') return id_of(node.name(), true);
    const auto [entry, is_new] = ids_of_nodes_.try_emplace(name.text, uint16_t{0});
    if (is_new) entry->second = id_of(node.name(), true);
    return entry->second;
  }
  uint16_t id_of(const std::string& name, bool is_node) {
    const auto [entry, is_new] = ids_.try_emplace({name, is_node}, static_cast<uint16_t>(names_.size()));
    if (is_new) {
      names_.push_back(name);
      is_node_.resize(names_.size());
      is_node_.back() = is_node;
      held_.push_back(0);
    }
    return entry->second;
  }
  Totals& totals(uint16_t id, bool in_backward) {
    const size_t at = size_t{id} * 2 + (in_backward ? 1 : 0);
    if (totals_.size() <= at) totals_.resize(at + 1);
    return totals_[at];
  }
  // What was asked for and not yet claimed is this one's. How many bytes that was, with those given back since.
  int64_t claim_fresh(uint16_t id, int64_t at) {
    const int64_t bytes = std::exchange(fresh_bytes_, 0);
    if (!running_.empty()) running_.back().bytes += bytes;
    int64_t stays = 0;
    for (Storage* storage : fresh_) {
      storage->set_profile_note(number_ << kNameBits | id);
      stays += static_cast<int64_t>(storage->nbytes());
    }
    fresh_.clear();
    held_[kUnnamed] -= stays;
    held_[id] += stays;
    if (stays != 0) note_memory(at, id, stays);
    if (peak_is_fresh_) {  // what was unnamed then was this one's
      held_at_peak_.resize(held_.size());
      held_at_peak_[id] += held_at_peak_[kUnnamed];
      held_at_peak_[kUnnamed] = 0;
      peak_is_fresh_ = false;
    }
    return bytes;
  }
  void note_memory(int64_t at, uint16_t holder, int64_t bytes) {
    if (memory_.size() < kMostEvents) memory_.push_back({at, bytes, holder});
  }

  const uint32_t number_;
  profiling::Listener* const outer_;
  const autograd::ObserveBackward observe_;
  const Clock::time_point began_;

  std::vector<std::string> names_;
  std::vector<bool> is_node_ = {false};
  std::map<std::pair<std::string, bool>, uint16_t> ids_;
  std::unordered_map<const char*, uint16_t> ids_of_literals_, ids_of_nodes_;

  int64_t begin_ = -1;  // of the operation now under way; -1 for none
  std::vector<Storage*> fresh_;
  int64_t fresh_bytes_ = 0;
  std::vector<Running> running_;
  std::vector<Pass> passes_;

  std::vector<Totals> totals_;
  std::vector<Event> events_;
  std::vector<MemoryChange> memory_;
  std::vector<int64_t> held_, held_at_peak_;
  int64_t held_bytes_ = 0, peak_bytes_ = 0;
  bool peak_is_fresh_ = false;
};

Profile::Profile() : notes_(std::make_unique<Notes>()) {}
Profile::~Profile() = default;

std::vector<Profile::Row> Profile::rows() const { return notes_->rows(); }
int64_t Profile::peak_bytes() const { return notes_->peak_bytes(); }
std::vector<Profile::Holder> Profile::holders_at_peak() const { return notes_->holders_at_peak(); }
std::string Profile::chrome_trace() const { return notes_->chrome_trace(); }

std::string Profile::table() const {
  const std::vector<Row> all = rows();
  std::string text;
  const auto write = [&](const char* title, const auto& belongs) {
    int64_t total = 0;
    for (const Row& row : all) total += belongs(row) ? row.nanoseconds : 0;
    if (total == 0) return;
    text +=
        fmt::format("{:<28} {:>9} {:>11} {:>6} {:>12} {:>10}\n", title, "calls", "time", "share", "a call", "memory");
    for (const Row& row : all) {
      if (!belongs(row)) continue;
      const double seconds = static_cast<double>(row.nanoseconds) / 1e9;
      text += fmt::format("  {:<26} {:>9} {:>11} {:>5.1f}% {:>12} {:>10}\n", row.name, row.calls, for_people(seconds),
                          100.0 * static_cast<double>(row.nanoseconds) / static_cast<double>(total),
                          for_people(seconds / static_cast<double>(row.calls)), bytes_for_people(row.bytes));
    }
    text += fmt::format("  {:<26} {:>9} {:>11}\n\n", "together", "", for_people(static_cast<double>(total) / 1e9));
  };
  write("forward", [](const Row& row) { return !row.in_backward; });
  write("backward, by Node", [](const Row& row) { return row.is_node; });
  write("backward, by operation", [](const Row& row) { return row.in_backward && !row.is_node; });
  text += fmt::format("most memory at a time: {}\n", bytes_for_people(peak_bytes()));
  for (const Holder& holder : holders_at_peak())
    text += fmt::format("  {:<26} {:>10}\n", holder.name, bytes_for_people(holder.bytes));
  return text;
}

}  // namespace wengert
