#pragma once

#include <factorize/input/byte_stream.h>
#include <factorize/input/dialect.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>

namespace factorize {

/// What is wrong in a line of a piece of text.
struct LineError {
  int64_t line;  ///< from the piece's beginning, from 1 on
  std::string what;
};

/// Makes a piece of its text, line by line: take_plain(line) says whether it took the
/// line; of the others those that say something are the header's, for take_header(line), if it is still to come, and
/// else for take(line). The last two throw std::string where something is wrong, which ends the piece.
template <class Piece, class TakePlain, class TakeHeader, class Take>
void fill_piece(Piece& piece, std::string_view text, bool has_header, const TakePlain& take_plain,
                const TakeHeader& take_header, const Take& take) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    ++piece.lines;
    if (!has_header && take_plain(line)) continue;
    if (says_nothing(line)) continue;
    try {
      has_header ? take_header(line) : take(line);
    } catch (const std::string& what) {
      piece.error = LineError{piece.lines, what};
      return;
    }
    has_header = false;
  }
}

/// How much a stream holds of what its first piece holds `in_first` of, or a little more; 0 where nobody knows. Room
/// for it is made at once, so that nothing is copied as it is read.
inline size_t expected_in_all(const ByteStream& stream, size_t in_first) {
  const double pieces = static_cast<double>(stream.size_hint().value_or(0)) / LineBlocks::kBlock;
  return pieces > 1 ? static_cast<size_t>(static_cast<double>(in_first) * std::min(pieces, 1e6) * 1.05) : 0;
}

/// Reads a stream by pieces of whole lines, of which several threads make a Piece each, and hands them on in order.
/// Piece has members `int64_t lines` and `std::optional<LineError> error`.
/// make(text, is_first) -> Piece; the text lives as long as the Piece. take(Piece&). Throws wengert::Error, "NAME:LINE:
/// what is wrong", of the first error in the stream.
template <class Make, class Take>
void for_each_piece(ByteStream& stream, const Make& make, const Take& take) {
  using Piece = decltype(make(std::string_view(), true));
  struct Job {
    std::shared_ptr<const std::string> text;
    std::future<Piece> piece;
  };
  LineBlocks blocks(stream);
  std::deque<Job> jobs;
  const auto threads = static_cast<size_t>(wengert::get_num_threads());
  int64_t lines = 0;
  bool is_first = true;
  for (bool more = true; more || !jobs.empty();) {
    // While one thread makes the oldest piece, the others are to have something to do.
    while (more && jobs.size() < (threads > 1 ? threads + 1 : 1)) {
      auto text = std::make_shared<const std::string>(blocks.next());
      more = !text->empty();
      if (!more) break;
      const auto when = threads > 1 ? std::launch::async : std::launch::deferred;
      jobs.push_back(
          {text, std::async(when, [text, &make, is_first] { return make(std::string_view(*text), is_first); })});
      is_first = false;
    }
    if (jobs.empty()) break;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    Piece piece = job.piece.get();
    if (piece.error) {
      throw wengert::Error(fmt::format("{}:{}: {}", stream.name(), lines + piece.error->line, piece.error->what));
    }
    lines += piece.lines;
    take(piece);
  }
}

}  // namespace factorize
