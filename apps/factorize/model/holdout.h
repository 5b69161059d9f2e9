#pragma once

#include <factorize/input/data.h>
#include <factorize/processes/processes.h>

namespace factorize {

/// What is kept for a test: part of the entries, drawn at random, from each row, or the last by time.
enum class Holdout { kRandom, kRows, kTime };

/// Moves a part of the ratings out. Throws wengert::Error where nothing would be left, or there are no times.
Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed);

/// The same of ratings that several processes have in parts. They draw the same ones, however many they are, but others
/// than one process.
Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed, const Processes& processes);

}  // namespace factorize
