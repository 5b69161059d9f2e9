#pragma once

namespace factorize {

/// page.html, as a text; made when the program is built.
extern const char* const kPage;

}  // namespace factorize
