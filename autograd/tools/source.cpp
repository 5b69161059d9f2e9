#include <dlfcn.h>
#include <wengert/autograd/tools/source.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

// In the source a formula stands in a paragraph such as
//
//     // y = e^x.   VJP:   dx = G y.
//     constexpr auto kExp = ... "ExpBackward0" ...
//
// A paragraph ends where the next line of code, after an empty one, starts in the first column.

namespace wengert::autograd {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

// "ops/matrices/matmul.cpp" for the path that the compiler was given, which starts as that of this file.
std::string below_the_root(std::string_view path) {
  constexpr std::string_view own = __FILE__, own_name = "autograd/tools/source.cpp", headers = "include/wengert/";
  static_assert(own.ends_with(own_name));
  constexpr std::string_view root = own.substr(0, own.size() - own_name.size());
  if (const size_t at = path.rfind(headers); at != std::string_view::npos)
    return std::string(path.substr(at + headers.size()));
  return std::string(path.starts_with(root) ? path.substr(root.size()) : path);
}

std::vector<fs::path> source_folders() {
  if (const char* named = std::getenv("WENGERT_SOURCE")) return {named};
  std::vector<fs::path> folders;
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&source_folders), &library) != 0 && library.dli_fname != nullptr) {
    std::error_code ignored;
    fs::path prefix = fs::canonical(library.dli_fname, ignored);
    for (; prefix.has_relative_path(); prefix = prefix.parent_path()) {
      folders.push_back(prefix / "share/wengert/source");
    }
  }
  folders.emplace_back(WENGERT_SOURCE_DIR);
  return folders;
}

bool starts_at_the_margin(const std::string& line) { return !line.empty() && line[0] != ' ' && line[0] != '}'; }
bool is_comment(const std::string& line) { return line.starts_with("//"); }
// Whether a statement or function at the margin ends with this line.
bool ends_at_the_margin(const std::string& line) {
  return !line.empty() &&
         (line[0] == '}' || (line[0] != ' ' && !is_comment(line) && (line.back() == '}' || line.back() == ';')));
}

struct Range {
  size_t begin, end;  // lines, counted from 0
};

Range paragraph_around(const Lines& lines, size_t at) {
  Range found{at, at + 1};
  while (found.begin > 0 && !(lines[found.begin - 1].empty() && starts_at_the_margin(lines[found.begin])))
    --found.begin;
  while (found.end < lines.size() &&
         !(lines[found.end].empty() && (found.end + 1 == lines.size() || starts_at_the_margin(lines[found.end + 1])))) {
    ++found.end;
  }
  return found;
}

// Of several functions in one paragraph the one that line `at` is in, with the comment above it; where that line is a
// statement by itself, with the function after it.
Range function_around(const Lines& lines, size_t at) {
  const Range paragraph = paragraph_around(lines, at);
  Range found{paragraph.begin, paragraph.end};
  for (size_t i = paragraph.begin; i < at; ++i) {
    if (ends_at_the_margin(lines[i])) found.begin = i + 1;
  }
  const auto end_from = [&](size_t line) {
    while (line < paragraph.end &&
           !(ends_at_the_margin(lines[line]) || (line + 1 < paragraph.end && is_comment(lines[line + 1]))))
      ++line;
    return std::min(line + 1, paragraph.end);
  };
  found.end = end_from(at);
  if (found.end == at + 1 && lines[at].back() == ';' && starts_at_the_margin(lines[at]))
    found.end = end_from(found.end);
  return found;
}

// What stands behind "VJP ...:" in the comment that starts at this line.
std::string formula_in(const Lines& lines, size_t at) {
  std::string comment;
  for (; at < lines.size() && is_comment(lines[at]); ++at) {
    const size_t text = lines[at].find_first_not_of("/ ");
    if (text != std::string::npos) comment += (comment.empty() ? "" : " ") + lines[at].substr(text);
  }
  const size_t vjp = comment.find("VJP");
  if (vjp == std::string::npos) return "";
  const size_t colon = comment.find(':', vjp);
  const size_t begin = colon == std::string::npos ? colon : comment.find_first_not_of(' ', colon + 1);
  return begin == std::string::npos ? "" : comment.substr(begin);
}

// That of the function, or else of the last one above it in its paragraph that has one.
std::string formula_for(const Lines& lines, const Range& function) {
  const size_t first = paragraph_around(lines, function.begin).begin;
  for (size_t at = function.begin + 1; at-- > first;) {
    const bool starts_a_comment = is_comment(lines[at]) && (at == first || !is_comment(lines[at - 1]));
    if (!starts_a_comment) continue;
    if (std::string formula = formula_in(lines, at); !formula.empty()) return formula;
  }
  return "";
}

}  // namespace

const std::vector<std::string>& SourceReader::file(const std::string& name) {
  const auto [entry, is_new] = files_.try_emplace(name);
  if (!is_new) return entry->second;
  for (const fs::path& folder : source_folders()) {
    std::ifstream file(folder / name);
    for (std::string line; std::getline(file, line);) entry->second.push_back(line);
    if (!entry->second.empty()) break;
  }
  return entry->second;
}

NodeSource SourceReader::of(const Node& node) {
  const NodeName place = node.source();
  NodeSource found;
  if (*place.file == '\0') return found;
  found.file = below_the_root(place.file);
  found.line = place.line;
  const Lines& all = file(found.file);
  const auto at = static_cast<size_t>(place.line - 1);
  if (at >= all.size()) return found;
  const Range function = function_around(all, at);
  found.first_line = static_cast<int>(function.begin) + 1;
  found.lines.assign(all.begin() + static_cast<int64_t>(function.begin),
                     all.begin() + static_cast<int64_t>(function.end));
  found.formula = formula_for(all, function);
  return found;
}

}  // namespace wengert::autograd
