#include <factorize/model/ranking.h>
#include <factorize/report/report_page.h>
#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/file.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

namespace factorize {
namespace {

using nlohmann::ordered_json;
using wengert::Tensor;

constexpr int kDigits = 5;  // as many as anybody sees

double rounded(double x) { return factorize::rounded(x, kDigits); }

std::vector<double> numbers_of(const Tensor& x) {
  const Tensor numbers = x.detach().to(wengert::kDouble).contiguous();
  return {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()};
}

ordered_json json_of(const Tensor& x) {
  ordered_json json = ordered_json::array();
  for (const double value : numbers_of(x)) json.push_back(rounded(value));
  return json;
}

// At most `most` of them, evenly.
template <class T>
std::vector<T> thinned(const std::vector<T>& all, size_t most) {
  if (all.size() <= most) return all;
  std::vector<T> some;
  for (size_t i = 0; i < most; ++i) some.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return some;
}

// How many entries lie in each of some bins of equal width, but for those at the ends, which take what lies beyond.
ordered_json histogram_of(const std::vector<double>& errors) {
  constexpr int kBins = 41;
  double squares = 0;
  for (const double error : errors) squares += error * error;
  const double reach = 3.5 * std::sqrt(squares / static_cast<double>(errors.size()));
  std::vector<int64_t> counts(kBins);
  for (const double error : errors) {
    const double place = reach > 0 ? (error / reach + 1) / 2 * kBins : kBins / 2.0;
    ++counts[static_cast<size_t>(std::clamp(place, 0.0, kBins - 1.0))];
  }
  ordered_json bins = ordered_json::array();
  for (int i = 0; i < kBins; ++i) {
    bins.push_back({rounded(reach * ((2 * i + 1.0) / kBins - 1)), counts[static_cast<size_t>(i)]});
  }
  return bins;
}

// The means of the values where predictions are about as large: by twentieths of the predictions in order.
ordered_json calibration_of(const std::vector<double>& predicted, const std::vector<double>& values) {
  constexpr size_t kParts = 20;
  std::vector<size_t> order(predicted.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return predicted[a] < predicted[b]; });
  ordered_json points = ordered_json::array();
  for (size_t part = 0; part < kParts; ++part) {
    const size_t begin = part * order.size() / kParts, end = (part + 1) * order.size() / kParts;
    if (begin == end) continue;
    double of_predictions = 0, of_values = 0;
    for (size_t i = begin; i < end; ++i) {
      of_predictions += predicted[order[i]];
      of_values += values[order[i]];
    }
    const double count = static_cast<double>(end - begin);
    points.push_back({rounded(of_predictions / count), rounded(of_values / count)});
  }
  return points;
}

// Those with the most entries, at most so many, in their own order.
std::vector<int64_t> fullest(const Tensor& counts, int64_t most) {
  const Tensor best = std::get<1>(wengert::topk(counts, std::min(most, counts.numel())));
  std::vector<int64_t> positions(best.data_ptr<int64_t>(), best.data_ptr<int64_t>() + best.numel());
  std::sort(positions.begin(), positions.end());
  return positions;
}

ordered_json named(const Names& names, const std::vector<int64_t>& positions) {
  ordered_json json = ordered_json::array();
  for (const int64_t position : positions) json.push_back(names[position]);
  return json;
}

// The elements of the largest size, the largest first.
ordered_json strongest(const Tensor& elements, const Names& names) {
  constexpr int64_t kShown = 6;
  const Tensor at = std::get<1>(wengert::topk(elements.abs(), std::min(kShown, elements.numel())));
  const std::vector<double> values = numbers_of(elements.index_select(0, at));
  ordered_json json = ordered_json::array();
  for (size_t r = 0; r < values.size(); ++r) {
    json.push_back({names[at.data_ptr<int64_t>()[r]], rounded(values[r])});
  }
  return json;
}

// Points in the plane, those farthest from the middle, at most so many.
ordered_json points_of(const Tensor& coordinates, const Names& names) {
  constexpr int64_t kMost = 400;
  const Tensor at = std::get<1>(wengert::topk(coordinates.square().sum(1), std::min(kMost, coordinates.size(0))));
  ordered_json json = ordered_json::array();
  const std::vector<double> place = numbers_of(coordinates.index_select(0, at));
  for (int64_t i = 0; i < at.numel(); ++i) {
    const auto e = static_cast<size_t>(2 * i);
    json.push_back({rounded(place[e]), rounded(place[e + 1]), names[at.data_ptr<int64_t>()[i]]});
  }
  return json;
}

}  // namespace

ReportPage::ReportPage(const std::string& title, const std::string& about) {
  content_ = {{"title", title}, {"about", about}, {"facts", ordered_json::array()}, {"tables", ordered_json::array()}};
}

void ReportPage::add_fact(const std::string& name, const ordered_json& value) {
  content_["facts"].push_back({name, value.is_number_float() ? ordered_json(rounded(value.get<double>())) : value});
}

void ReportPage::add_losses(const std::vector<double>& losses,
                            const std::vector<std::pair<int64_t, double>>& validations) {
  constexpr size_t kMost = 400;
  std::vector<std::pair<size_t, double>> numbered;
  for (size_t i = 0; i < losses.size(); ++i) {
    if (std::isfinite(losses[i])) numbered.emplace_back(i, losses[i]);
  }
  for (const auto& [i, loss] : thinned(numbered, kMost)) content_["losses"].push_back({i, rounded(loss)});
  for (const auto& [i, rmse] : thinned(validations, kMost)) content_["validations"].push_back({i, rounded(rmse)});
}

void ReportPage::add_errors(const Model& model, const Entries& known, const Names& rows, const Names& columns) {
  const wengert::NoGradGuard no_grad;
  const Predictor predictor(model);
  const Tensor columns_at = known.pattern.col_indices(), starts = known.pattern.crow_indices();
  const Tensor rows_at = rows_of(known.pattern);
  // So many say as much as all.
  constexpr int64_t kMost = 200000;
  Tensor sample = wengert::arange(known.size());
  if (known.size() > kMost) sample = sample.index_select(0, wengert::randperm(known.size()).narrow(0, 0, kMost));
  const std::vector<double> values = numbers_of(known.values.index_select(0, sample)),
                            predicted = numbers_of(
                                predictor.at(rows_at.index_select(0, sample), columns_at.index_select(0, sample)));
  std::vector<double> errors(values.size());
  for (size_t e = 0; e < values.size(); ++e) errors[e] = values[e] - predicted[e];
  content_["errors"] = histogram_of(errors);
  content_["calibration"] = calibration_of(predicted, values);

  constexpr int64_t kSide = 60;
  const wengert::SparseMatrix ones(known.pattern, wengert::ones_like(known.values));
  const std::vector<int64_t> some_rows = fullest(ones.sum(1), kSide), some_columns = fullest(ones.sum(0), kSide);
  const Tensor factors = model.C.index_select(0, wengert::tensor(some_rows));
  const Tensor x =
      predictor.scores(factors) + predictor.row_levels().index_select(0, wengert::tensor(some_rows)).unsqueeze(1);
  const Tensor shown = predictor.predicted(x).index_select(1, wengert::tensor(some_columns));
  ordered_json of_matrix = ordered_json::array(), of_model = ordered_json::array();
  const std::vector<double> all_values = numbers_of(known.values);
  const auto *begin = starts.data_ptr<int64_t>(), *column = columns_at.data_ptr<int64_t>();
  for (size_t i = 0; i < some_rows.size(); ++i) {
    of_model.push_back(json_of(shown[static_cast<int64_t>(i)]));
    ordered_json line(some_columns.size(), nullptr);
    for (int64_t e = begin[some_rows[i]]; e < begin[some_rows[i] + 1]; ++e) {
      const auto at = std::lower_bound(some_columns.begin(), some_columns.end(), column[e]);
      if (at == some_columns.end() || *at != column[e]) continue;
      line[static_cast<size_t>(at - some_columns.begin())] = rounded(all_values[static_cast<size_t>(e)]);
    }
    of_matrix.push_back(std::move(line));
  }
  content_["heat"] = {{"rows", named(rows, some_rows)},
                      {"columns", named(columns, some_columns)},
                      {"matrix", std::move(of_matrix)},
                      {"model", std::move(of_model)}};
}

void ReportPage::add_factors(const Model& model, const Names& rows, const Names& columns) {
  const wengert::NoGradGuard no_grad;
  // The singular values of C F are those of the small product of what QR leaves of both.
  const auto of_rows = wengert::linalg_qr(model.C), of_columns = wengert::linalg_qr(model.F.t().contiguous());
  const auto [u, s, vh] = wengert::linalg_svd(wengert::mm(std::get<1>(of_rows), std::get<1>(of_columns).t()), false);
  const std::vector<double> spectrum = numbers_of(s);
  for (const double value : spectrum) {
    if (value > 1e-6 * spectrum[0]) content_["spectrum"].push_back(rounded(value));
  }
  if (s.numel() >= 2 && spectrum[1] > 1e-6 * spectrum[0]) {
    const Tensor roots = s.narrow(0, 0, 2).sqrt().unsqueeze(0);
    const Tensor of_u = wengert::mm(std::get<0>(of_rows), u.narrow(1, 0, 2)) * roots,
                 of_v = wengert::mm(std::get<0>(of_columns), vh.narrow(0, 0, 2).t()) * roots;
    content_["map"] = {{"rows", points_of(of_u, rows)}, {"columns", points_of(of_v, columns)}};
  }
  constexpr int64_t kShown = 12;
  const Tensor strengths = (model.C.square().sum(0) * model.F.square().sum(1)).sqrt();
  const auto best = wengert::topk(strengths, std::min(kShown, model.rank()));
  for (int64_t r = 0; r < std::get<0>(best).numel(); ++r) {
    const double strength = std::get<0>(best)[r].item<double>();
    const int64_t l = std::get<1>(best).data_ptr<int64_t>()[r];
    if (strength == 0) break;
    content_["factors"].push_back({{"factor", l + 1},
                                   {"strength", rounded(strength)},
                                   {"rows", strongest(model.C.select(1, l).contiguous(), rows)},
                                   {"columns", strongest(model.F.select(0, l).contiguous(), columns)}});
  }
}

void ReportPage::add_table(const std::string& title, const std::vector<std::string>& header, ordered_json rows) {
  content_["tables"].push_back({{"title", title}, {"header", header}, {"rows", std::move(rows)}});
}

void ReportPage::add_comparison(const std::string& measure, const std::vector<std::string>& models,
                                const ordered_json& values) {
  content_["comparisons"].push_back({{"measure", measure}, {"models", models}, {"values", values}});
}

void ReportPage::add_trials(const std::string& measure, ordered_json trials) {
  content_["trials"] = {{"measure", measure}, {"list", std::move(trials)}};
}

void ReportPage::write(const std::string& file) const {
  std::string json = content_.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  // Nothing in a name ends the script that holds it.
  for (size_t at = json.find('<'); at != std::string::npos; at = json.find('<', at)) json.replace(at, 1, "\\u003c");
  std::string page = kReportHtml;
  for (const auto& [mark, text] : {std::pair<std::string_view, std::string_view>("/*CHART*/", kChartScript),
                                   std::pair<std::string_view, std::string_view>("/*CONTENT*/", json)}) {
    page.replace(page.find(mark), mark.size(), text);
  }
  wengert::serialize::write_file(file, page);
}

}  // namespace factorize
