#pragma once

#include <factorize/model/saved_model.h>
#include <factorize/terminal/command_line.h>
#include <factorize/terminal/table_writer.h>

namespace factorize {

/// What all commands that ask a model have on their lines.
struct Asking {
  std::string folder;
  Output output;
  int threads = 0;

  /// The model, and threads as wished.
  SavedModel open() const;
};
void add_output_options(CLI::App& app, Output& output, int& threads);
void add_asking_options(CLI::App& app, Asking& asking);

/// Entries of a file in the model's positions.
struct AskedEntries {
  Entries entries;          ///< of the rows and columns that the model has
  int64_t unknown = 0;      ///< entries of others
  wengert::Tensor rows;     ///< Long (nnz), of each entry
  wengert::Tensor columns;  ///< Long (nnz)
};
/// Throws wengert::Error where no entry is of the model's, or a table has other sizes.
AskedEntries asked_entries(const Data& data, const SavedModel& saved, Duplicates duplicates);

}  // namespace factorize
