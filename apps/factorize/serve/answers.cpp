#include <factorize/serve/answers.h>
#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>

namespace factorize {
namespace {

using nlohmann::ordered_json;
using wengert::Tensor;

constexpr int kDigits = 7;  // those of float32, as most models are

// What is wrong with a question.
struct Refusal {
  int status;
  std::string what;
};

std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

class Parameters {
 public:
  explicit Parameters(const Question& question) : question_(question) {}

  std::optional<std::string> find(const std::string& name) const {
    const auto found = question_.parameters.find(name);
    return found == question_.parameters.end() ? std::nullopt : std::optional(found->second);
  }
  std::string text(const std::string& name) const {
    if (const auto found = find(name)) return *found;
    throw Refusal{400, fmt::format("there is no parameter {}", name)};
  }
  bool truth(const std::string& name) const {
    const auto found = find(name);
    return found && *found != "0" && *found != "false";
  }
  int64_t count() const {
    const auto found = find("n");
    if (!found) return 10;
    int64_t count = 0;
    const auto [end, error] = std::from_chars(found->data(), found->data() + found->size(), count);
    return checked_count(error == std::errc() && end == found->data() + found->size() ? count : 0);
  }
  static int64_t checked_count(int64_t count) {
    if (count >= 1 && count <= Answers::kMostColumns) return count;
    throw Refusal{400, fmt::format("n is to be a whole number from 1 to {}", Answers::kMostColumns)};
  }

 private:
  const Question& question_;
};

int64_t position(const Names& names, const std::string& id) {
  try {
    return names.position_of(id);
  } catch (const wengert::Error& error) {
    throw Refusal{404, error.what()};
  }
}

// A body's object. Nothing of what is asked nests deeper.
ordered_json object_in(const std::string& body) {
  constexpr int kDeepest = 3;
  const auto check_depth = [](int depth, ordered_json::parse_event_t, ordered_json&) {
    if (depth > kDeepest) throw Refusal{400, "the body is nested too deeply"};
    return true;
  };
  ordered_json json = ordered_json::parse(body, check_depth, false);
  if (json.is_discarded() || !json.is_object()) throw Refusal{400, "the body is no JSON object"};
  return json;
}

ordered_json columns_json(const Recommender& recommender, const BestColumns& best, const Tensor& predictions) {
  ordered_json columns = ordered_json::array();
  const Tensor numbers = predictions.to(wengert::kDouble);
  for (size_t r = 0; r < best.columns.size(); ++r) {
    columns.push_back({{"column", recommender.saved().columns[best.columns[r]]},
                       {"score", rounded(numbers.data_ptr<double>()[r], kDigits)}});
  }
  return columns;
}

ordered_json recommend(const Recommender& recommender, const Parameters& parameters) {
  const SavedModel& saved = recommender.saved();
  const std::string id = parameters.text("row");
  const bool with_reasons = parameters.truth("explain");
  ordered_json answer{{"row", id}, {"columns", ordered_json::array()}};
  recommender.recommend({position(saved.rows, id)}, parameters.count(), parameters.truth("with_seen"),
                        [&](int64_t row, const BestColumns& best, const Tensor& predictions) {
                          constexpr int64_t kReasons = 5;
                          ordered_json& columns = answer["columns"] = columns_json(recommender, best, predictions);
                          if (!with_reasons) return;
                          const auto parts = recommender.explain(row, best, kReasons);
                          for (size_t r = 0; r < parts.size(); ++r) {
                            ordered_json& reasons = columns[r]["because"] = ordered_json::array();
                            for (const auto& [column, part] : parts[r]) {
                              reasons.push_back({{"column", saved.columns[column]}, {"part", part}});
                            }
                          }
                        });
  return answer;
}

ordered_json predict(const Recommender& recommender, const Parameters& parameters, const std::string& body) {
  const SavedModel& saved = recommender.saved();
  std::vector<int64_t> rows, columns;
  if (body.empty()) {
    rows.push_back(position(saved.rows, parameters.text("row")));
    columns.push_back(position(saved.columns, parameters.text("column")));
  } else {
    const ordered_json json = object_in(body);
    const auto pairs = json.find("pairs");
    if (pairs == json.end() || !pairs->is_array()) throw Refusal{400, "there is no array \"pairs\""};
    if (pairs->size() > Answers::kMostPairs) {
      throw Refusal{400,
                    fmt::format("there are {} pairs; at most {} are answered", pairs->size(), Answers::kMostPairs)};
    }
    for (const ordered_json& pair : *pairs) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
        throw Refusal{400, "a pair is an array of two texts, a row and a column"};
      }
      rows.push_back(position(saved.rows, pair[0].get<std::string>()));
      columns.push_back(position(saved.columns, pair[1].get<std::string>()));
    }
  }
  ordered_json answer{{"predictions", ordered_json::array()}};
  if (rows.empty()) return answer;
  const Tensor predicted =
      recommender.predictor().at(wengert::tensor(rows), wengert::tensor(columns)).to(wengert::kDouble);
  for (int64_t e = 0; e < predicted.numel(); ++e) answer["predictions"].push_back(predicted.data_ptr<double>()[e]);
  return answer;
}

ordered_json fold_in(const Recommender& recommender, const std::string& body) {
  const SavedModel& saved = recommender.saved();
  const ordered_json json = object_in(body);
  const auto entries = json.find("entries");
  if (entries == json.end() || !entries->is_object() || entries->empty()) {
    throw Refusal{400, "there is no object \"entries\" of columns and values"};
  }
  if (entries->size() > Answers::kMostPairs) {
    throw Refusal{400, fmt::format("there are {} entries; at most {} are taken", entries->size(), Answers::kMostPairs)};
  }
  std::vector<std::pair<int64_t, double>> given;
  for (const auto& [column, value] : entries->items()) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) throw Refusal{400, "a value is no finite number"};
    given.emplace_back(position(saved.columns, column), value.get<double>());
  }
  std::sort(given.begin(), given.end());
  const auto is_same = [](const auto& a, const auto& b) { return a.first == b.first; };
  given.erase(std::unique(given.begin(), given.end(), is_same), given.end());
  std::vector<int64_t> columns;
  std::vector<double> values;
  for (const auto& [column, value] : given) {
    columns.push_back(column);
    values.push_back(value);
  }
  const auto n = json.find("n");
  if (n != json.end() && !n->is_number_integer()) throw Refusal{400, "n is no whole number"};
  const int64_t count = n == json.end() ? 10 : Parameters::checked_count(n->get<int64_t>());
  const Entries row = one_row(wengert::tensor(values, wengert::kDouble).to(saved.model.C.dtype()));
  ordered_json answer{{"columns", ordered_json::array()}};
  recommender.recommend(row, wengert::tensor(columns), count,
                        [&](int64_t, const BestColumns& best, const Tensor& predictions) {
                          answer["columns"] = columns_json(recommender, best, predictions);
                        });
  return answer;
}

ordered_json similar(const Names& names, const Tensor& directions, const Parameters& parameters) {
  const std::string id = parameters.text("id");
  const int64_t at = position(names, id);
  const auto alike = most_alike(directions, at, parameters.count());
  const Tensor cosines = std::get<1>(alike).to(wengert::kDouble);
  ordered_json answer{{"id", id}, {"similar", ordered_json::array()}};
  for (int64_t r = 0; r < cosines.numel(); ++r) {
    answer["similar"].push_back({{names.what(), names[std::get<0>(alike).data_ptr<int64_t>()[r]]},
                                 {"cosine", rounded(cosines.data_ptr<double>()[r], kDigits)}});
  }
  return answer;
}

}  // namespace

Answers::Answers(SavedModel saved) : saved_(std::move(saved)), recommender_(saved_) {
  const wengert::NoGradGuard no_grad;
  row_directions_ = directions_of(saved_.model.C);
  column_directions_ = directions_of(recommender_.predictor().column_factors());
}

Answer Answers::answer(const Question& question) const noexcept {
  const wengert::NoGradGuard no_grad;
  const Parameters parameters(question);
  try {
    if (question.path == "/recommend") return {200, text_of(recommend(recommender_, parameters))};
    if (question.path == "/predict") return {200, text_of(predict(recommender_, parameters, question.body))};
    if (question.path == "/fold-in") return {200, text_of(fold_in(recommender_, question.body))};
    if (question.path == "/similar") {
      const std::string of = parameters.find("of").value_or("columns");
      if (of != "columns" && of != "rows") throw Refusal{400, "of is columns or rows"};
      return {200, text_of(of == "rows" ? similar(saved_.rows, row_directions_, parameters)
                                        : similar(saved_.columns, column_directions_, parameters))};
    }
    if (question.path == "/model") {
      const Model& model = saved_.model;
      return {200, text_of({{"rows", model.rows()},
                            {"columns", model.columns()},
                            {"rank", model.rank()},
                            {"first_row", saved_.rows[0]},
                            {"first_column", saved_.columns[0]}})};
    }
    throw Refusal{404,
                  fmt::format("there is no {}; ask /recommend, /predict, /similar, /fold-in or /model", question.path)};
  } catch (const Refusal& refusal) {
    return {refusal.status, text_of({{"error", refusal.what}})};
  } catch (const std::exception& error) {
    return {400, text_of({{"error", error.what()}})};
  }
}

}  // namespace factorize
