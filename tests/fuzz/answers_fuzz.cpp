// What `factorize serve` is asked: a path, a query's parameters and a body, a line each (the body all that is left).
// Every answer is a JSON object, with an "error" where the status is not 200.

#include <factorize/serve/answers.h>
#include <fuzz/fuzz.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <string>

namespace wengert {
namespace {

using factorize::Answers;

factorize::SavedModel small_model() {
  wengert::set_num_threads(1);
  wengert::manual_seed(1);
  factorize::SavedModel saved;
  saved.model.C = wengert::randn({4, 2});
  saved.model.F = wengert::randn({2, 5});
  saved.model.row_bias = wengert::randn({4});
  saved.model.column_bias = wengert::randn({5});
  saved.model.row_penalties = wengert::ones({3});
  saved.rows = factorize::Names("row", {"ann", "bob", "eve", "zoe"}, 4);
  saved.columns = factorize::Names("column", {"a", "b", "c", "d", "e"}, 5);
  saved.fitted =
      factorize::EntryRows{wengert::tensor({0, 2, 3, 3, 4}), wengert::tensor({0, 1, 2, 4}), wengert::ones({4}), {}};
  return saved;
}

std::string take_line(std::string& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, std::min(end + 1, text.size()));
  return line;
}

}  // namespace

void fuzz(std::string content) {
  static const Answers answers(small_model());
  factorize::Question question;
  question.path = take_line(content);
  std::string query = take_line(content);
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size()), equals = query.find('=');
    if (equals < end) question.parameters.emplace(query.substr(0, equals), query.substr(equals + 1, end - equals - 1));
    query.erase(0, std::min(end + 1, query.size()));
  }
  question.body = content;
  const factorize::Answer answer = answers.answer(question);
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  expect(json.is_object() && json.contains("error") == (answer.status != 200));
  expect(answer.status == 200 || answer.status == 400 || answer.status == 404);
}

}  // namespace wengert
