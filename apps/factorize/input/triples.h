#pragma once

#include <factorize/input/byte_stream.h>
#include <factorize/input/data.h>
#include <factorize/input/dialect.h>
#include <factorize/input/ids.h>

#include <array>
#include <optional>

namespace factorize {

/// Where the lines of a file of entries have what.
struct TriplesLayout {
  Dialect dialect;
  bool has_header = false;
  size_t fields = 3;
  /// By ColumnRole: the field, or none.
  std::array<std::optional<size_t>, 5> place{0, 1, 2, std::nullopt, std::nullopt};

  std::optional<size_t> of(ColumnRole role) const { return place[static_cast<size_t>(role)]; }
};

/// Whether the first lines of a text look like entries: two ids and a number, and a weight or a time.
/// rows: the lines' fields; the first may be a header.
bool looks_like_triples(const std::vector<std::vector<std::string>>& rows);

/// By options.columns or, where they are empty, by the header's words, or the first fields. Of two fields there is no
/// value. Throws wengert::Error where columns are not there.
TriplesLayout triples_layout(const std::string& name, Dialect dialect,
                             const std::vector<std::vector<std::string>>& rows, const ReadOptions& options);

/// Reads entries, of one file or of several whose ids are to be the same.
class TriplesReader {
 public:
  void read(ByteStream& stream, const TriplesLayout& layout, Ratings& ratings);
  /// Makes positions of the ids in all that was read.
  void finish(const std::vector<Ratings*>& all);

  const Ids& row_ids() const { return row_ids_; }
  const Ids& column_ids() const { return column_ids_; }
  int64_t holes() const { return holes_; }  ///< lines without a value

 private:
  Ids row_ids_, column_ids_;
  int64_t holes_ = 0;
};

}  // namespace factorize
