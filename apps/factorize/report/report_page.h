#pragma once

#include <factorize/model/entries.h>
#include <factorize/model/saved_model.h>

#include <nlohmann/json.hpp>
#include <string>

namespace factorize {

/// A page on a fit, a search, an evaluation or a comparison, which works without a network: report.html, the library
/// that draws, and what is to be shown as JSON. Parts that nothing was added to are left out.
class ReportPage {
 public:
  explicit ReportPage(const std::string& title, const std::string& about);

  /// name and value, in a table of settings and figures.
  void add_fact(const std::string& name, const nlohmann::ordered_json& value);
  void add_losses(const std::vector<double>& losses, const std::vector<std::pair<int64_t, double>>& validations);
  /// How errors are distributed, how far predictions are right on the whole, and what the matrix and the model look
  /// like side by side, in the rows and columns with the most entries. known: entries of the model's matrix.
  void add_errors(const Model& model, const Entries& known, const Names& rows, const Names& columns);
  /// The spectrum of C F, which rows and columns are strongest in each factor, and a map of both in the plane of the
  /// first two singular vectors.
  void add_factors(const Model& model, const Names& rows, const Names& columns);
  /// A table: the columns' names, and a row of cells each.
  void add_table(const std::string& title, const std::vector<std::string>& header, nlohmann::ordered_json rows);
  /// One measure of several models: their names, and a number or null each.
  void add_comparison(const std::string& measure, const std::vector<std::string>& models,
                      const nlohmann::ordered_json& values);
  /// A search: an array of {label, measure, best}.
  void add_trials(const std::string& measure, nlohmann::ordered_json trials);

  /// Aside, and renamed when it is whole. Throws wengert::Error.
  void write(const std::string& file) const;

 private:
  nlohmann::ordered_json content_;
};

/// What is put into the page when the program is built.
extern const char* const kReportHtml;
extern const char* const kChartScript;

}  // namespace factorize
