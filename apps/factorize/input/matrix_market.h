#pragma once

#include <factorize/input/data.h>
#include <factorize/input/part.h>

#include <string>
#include <string_view>

namespace factorize {

// The Matrix Market exchange format (Boisvert, Pozo and Remington, NISTIR 5935, 1996).

/// Whether the content is in this format.
bool is_matrix_market(std::string_view content);

/// Parses a whole matrix ("array") or entries ("coordinate"): real, integer or, of entries, pattern; general, symmetric
/// or skew-symmetric. Throws wengert::Error with `name` and the line for anything else.
void parse_matrix_market(const std::string& name, std::string_view content, wengert::ScalarType dtype, Data& data);

/// What a process reads of a file that it shares with others: some of the entries, or of a whole matrix a block of
/// rows. stream: of the file, at its beginning.
void read_matrix_market_part(ByteStream& stream, const SharedFile& file, const ReadOptions& options, Data& data);

}  // namespace factorize
