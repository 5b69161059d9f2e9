#pragma once

#include <factorize/ask/recommender.h>

#include <map>
#include <string>

namespace factorize {

struct Question {
  std::string path;
  std::multimap<std::string, std::string> parameters;  ///< of the query, decoded
  std::string body;
};
struct Answer {
  int status = 200;  ///< 400 for what is wrong in the question, 404 for what is not there
  std::string body;  ///< JSON; of an error {"error": "..."}
};

/// What a model answers over HTTP, without the HTTP. Any number of threads may ask at once.
///
/// /recommend?row=ID[&n=10][&with_seen=1][&explain=1]
/// /predict?row=ID&column=ID, or a body {"pairs": [[row, column], ...]}
/// /similar?id=ID[&of=columns|rows][&n=10]
/// /fold-in with a body {"entries": {column: value, ...} [, "n": 10]}
/// /model
class Answers {
 public:
  static constexpr int64_t kMostColumns = 1000;  ///< that are recommended
  static constexpr size_t kMostPairs = 10000;    ///< and entries of a new row

  explicit Answers(SavedModel saved);
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  /// Throws nothing: what is wrong is an answer.
  Answer answer(const Question& question) const noexcept;

 private:
  SavedModel saved_;
  Recommender recommender_;
  wengert::Tensor row_directions_, column_directions_;  // the factors, each of length 1, or 0
};

}  // namespace factorize
