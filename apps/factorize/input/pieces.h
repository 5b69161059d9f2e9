#pragma once

#include <factorize/input/byte_stream.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

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
