#pragma once

#include <wengert/autograd/tape/node.h>

#include <map>
#include <string>
#include <vector>

namespace wengert::autograd {

/// What the library's source says of a Node.
struct NodeSource {
  std::string file;                ///< below the folder of the source: "ops/matrices/matmul.cpp"
  int line = 0;                    ///< where the Node gets its name
  std::string formula;             ///< its VJP in symbols, from the comment; empty where that says none
  int first_line = 0;              ///< of `lines`
  std::vector<std::string> lines;  ///< the comment, and the code that computes the gradient; empty without the source
};

/// Looks Nodes up in the source: in the folder that the variable WENGERT_SOURCE of the environment names, else in that
/// installed beside the library, else in the one it was built from. Reads each file once. Where none is there, it knows
/// file and line alone.
class SourceReader {
 public:
  NodeSource of(const Node& node);

 private:
  const std::vector<std::string>& file(const std::string& name);
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace wengert::autograd
