// Writes planted pairs, a line "row,column" each: see planted_pairs().
//
// usage: planted_pairs ROWS COLUMNS PAIRS RANK SEED

#include <support/planted_pairs.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: planted_pairs ROWS COLUMNS PAIRS RANK SEED\n");
    return 2;
  }
  const auto planted = wengert::test::planted_pairs(std::atoll(argv[1]), std::atoll(argv[2]), std::atoll(argv[3]),
                                                    std::atoll(argv[4]), static_cast<uint64_t>(std::atoll(argv[5])));
  for (size_t e = 0; e < planted.rows.size(); ++e) std::printf("%d,%d\n", planted.rows[e], planted.columns[e]);
  return std::ferror(stdout) != 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
