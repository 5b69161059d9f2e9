#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <array>

// Contractions, each pair of operands as one batched matrix product.

namespace wengert {
namespace ops {
namespace {

struct Term {
  std::vector<int> labels;  // one a dimension: a letter, or kEllipsis + i for the i-th dimension under "..."
  Tensor tensor;
};
constexpr int kEllipsis = 256;

bool has(const std::vector<int>& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

// The labels of one operand's subscripts; `ellipsis`: how many dimensions its "..." stands for (the last ones
// of `most` are numbered alike in all operands, as broadcasting lines them up).
std::vector<int> parse_labels(std::string_view subscripts, int64_t dims, int64_t most, size_t operand) {
  std::vector<int> labels;
  bool seen = false;
  const auto letters = std::count_if(subscripts.begin(), subscripts.end(),
                                     [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
  for (size_t i = 0; i < subscripts.size(); ++i) {
    const char c = subscripts[i];
    if (c == ' ') continue;
    if (c == '.') {
      check(subscripts.substr(i, 3) == "..." && !seen,
            "einsum(): found '.' for operand {} that is not part of any ellipsis", operand);
      seen = true;
      i += 2;
      for (int64_t d = most - (dims - letters); d < most; ++d) labels.push_back(kEllipsis + static_cast<int>(d));
    } else {
      check(std::isalpha(static_cast<unsigned char>(c)),
            "einsum(): invalid subscript given at index {} in the equation string, subscripts must be in [a-zA-Z]", i);
      labels.push_back(c);
    }
  }
  check(static_cast<int64_t>(labels.size()) == dims,
        "einsum(): the number of subscripts in the equation ({}) {} the number of dimensions ({}) for operand {}{}",
        letters, seen ? "is more than" : "does not match", dims, operand, seen ? "" : " and no ellipsis was given");
  return labels;
}

// A label that stands twice means the diagonal.
Term without_repeats(Term term) {
  for (size_t i = 0; i < term.labels.size(); ++i) {
    for (size_t j = i + 1; j < term.labels.size(); ++j) {
      if (term.labels[i] != term.labels[j]) continue;
      check(term.tensor.sizes()[i] == term.tensor.sizes()[j],
            "einsum(): subscript {} is repeated for operand but the sizes don't match, {} != {}",
            static_cast<char>(term.labels[i]), term.tensor.sizes()[j], term.tensor.sizes()[i]);
      const int label = term.labels[i];
      term.tensor = diagonal(term.tensor, 0, static_cast<int64_t>(i), static_cast<int64_t>(j));
      term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(j));
      term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(i));
      term.labels.push_back(label);
      return without_repeats(std::move(term));
    }
  }
  return term;
}

// Sums out the labels that are not wanted any more.
Term reduce_to(Term term, const std::vector<int>& wanted) {
  std::vector<int64_t> dims;
  std::vector<int> labels;
  for (size_t d = 0; d < term.labels.size(); ++d) {
    if (has(wanted, term.labels[d])) {
      labels.push_back(term.labels[d]);
    } else {
      dims.push_back(static_cast<int64_t>(d));
    }
  }
  if (!dims.empty()) term.tensor = term.tensor.sum(dims);
  term.labels = labels;
  return term;
}

// The term's dimensions in the order of `labels`, with size 1 where it lacks one.
Tensor aligned(const Term& term, const std::vector<int>& labels) {
  std::vector<int64_t> order;
  for (const int label : labels) {
    const auto at = std::find(term.labels.begin(), term.labels.end(), label);
    if (at != term.labels.end()) order.push_back(at - term.labels.begin());
  }
  Tensor out = term.tensor.permute(order);
  for (size_t d = 0; d < labels.size(); ++d) {
    if (!has(term.labels, labels[d])) out = out.unsqueeze(static_cast<int64_t>(d));
  }
  return out;
}

// The product of two terms, summed over the labels that are not wanted: one batched matrix product.
Term contract(Term a, Term b, const std::vector<int>& wanted) {
  // Labels of one term alone that nobody wants are summed first.
  std::vector<int> for_a = wanted, for_b = wanted;
  for_a.insert(for_a.end(), b.labels.begin(), b.labels.end());
  for_b.insert(for_b.end(), a.labels.begin(), a.labels.end());
  a = reduce_to(std::move(a), for_a);
  b = reduce_to(std::move(b), for_b);

  std::vector<int> batch, rows, columns, summed;
  for (const int label : a.labels)
    (!has(b.labels, label) ? rows : has(wanted, label) ? batch : summed).push_back(label);
  for (const int label : b.labels) {
    if (!has(a.labels, label)) columns.push_back(label);
  }
  const auto concatenated = [](std::initializer_list<const std::vector<int>*> parts) {
    std::vector<int> all;
    for (const auto* part : parts) all.insert(all.end(), part->begin(), part->end());
    return all;
  };
  Term result;
  result.labels = concatenated({&batch, &rows, &columns});
  if (summed.empty()) {
    result.tensor = aligned(a, result.labels) * aligned(b, result.labels);
    return result;
  }
  // A shared dimension of size 1 in one term is broadcast to the other's.
  const auto broadcast = [](int64_t a, int64_t b) { return a == 1 ? b : a; };
  Tensor x = aligned(a, concatenated({&batch, &rows, &summed})),
         y = aligned(b, concatenated({&batch, &summed, &columns}));
  Dims batch_sizes, x_sizes, y_sizes, sum_sizes;
  const auto n_batch = static_cast<int64_t>(batch.size()), n_rows = static_cast<int64_t>(rows.size()),
             n_sum = static_cast<int64_t>(summed.size());
  for (int64_t d = 0; d < n_batch; ++d) batch_sizes.push_back(broadcast(x.size(d), y.size(d)));
  for (int64_t d = 0; d < n_sum; ++d) sum_sizes.push_back(broadcast(x.size(n_batch + n_rows + d), y.size(n_batch + d)));
  Dims row_sizes, column_sizes;
  for (int64_t d = 0; d < n_rows; ++d) row_sizes.push_back(x.size(n_batch + d));
  for (int64_t d = n_batch + n_sum; d < y.dim(); ++d) column_sizes.push_back(y.size(d));
  const auto joined = [](std::initializer_list<const Dims*> parts) {
    Dims all;
    for (const Dims* part : parts) {
      for (const int64_t size : *part) all.push_back(size);
    }
    return all;
  };
  const int64_t batches = numel_of(batch_sizes), n = numel_of(row_sizes), k = numel_of(sum_sizes),
                m = numel_of(column_sizes);
  x = x.expand(joined({&batch_sizes, &row_sizes, &sum_sizes})).reshape({batches, n, k});
  y = y.expand(joined({&batch_sizes, &sum_sizes, &column_sizes})).reshape({batches, k, m});
  result.tensor = bmm(x, y).reshape(joined({&batch_sizes, &row_sizes, &column_sizes}));
  return result;
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor tensordot(const Tensor& a, const Tensor& b, IntArrayRef dims_a, IntArrayRef dims_b) {
  check(dims_a.size() == dims_b.size(), "both dimension lists should have same length");
  Term x{{}, a}, y{{}, b};
  std::vector<int> wanted;
  check(dims_a.empty() || (a.dim() > 0 && b.dim() > 0), "Dimension specified as {} but tensor has no dimensions",
        dims_a.empty() ? 0 : dims_a[0]);
  for (int64_t d = 0; d < a.dim(); ++d) x.labels.push_back(static_cast<int>(d));
  for (int64_t d = 0; d < b.dim(); ++d) y.labels.push_back(1000 + static_cast<int>(d));
  for (size_t i = 0; i < dims_a.size(); ++i) {
    const int64_t da = wrap_dim(dims_a[i], a.dim()), db = wrap_dim(dims_b[i], b.dim());
    check(a.size(da) == b.size(db) || a.size(da) == 1 || b.size(db) == 1,
          "contracted dimensions need to match, but first has size {} in dim {} and second has size {} in dim {}",
          a.size(da), dims_a[i], b.size(db), dims_b[i]);
    y.labels[static_cast<size_t>(db)] = static_cast<int>(da);
  }
  for (const int label : x.labels) {
    if (!has(y.labels, label)) wanted.push_back(label);
  }
  for (const int label : y.labels) {
    if (!has(x.labels, label)) wanted.push_back(label);
  }
  return own_tensor(contract(std::move(x), std::move(y), wanted).tensor);
}

Tensor einsum(std::string_view equation, TensorList operands) {
  check(!operands.empty(), "einsum(): must provide at least one operand");
  const size_t arrow = equation.find("->");
  const std::string_view left = equation.substr(0, arrow);
  std::vector<std::string_view> subscripts;
  for (size_t start = 0;;) {
    const size_t comma = left.find(',', start);
    subscripts.push_back(left.substr(start, comma - start));
    if (comma == std::string_view::npos) break;
    start = comma + 1;
  }
  check(subscripts.size() == operands.size(), "einsum(): {} operands were provided than specified in the equation",
        subscripts.size() < operands.size() ? "more" : "fewer");

  const auto letters_in = [](std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
  };
  int64_t ellipsis = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (subscripts[i].find('.') != std::string_view::npos) {
      ellipsis = std::max<int64_t>(ellipsis, operands[i].dim() - letters_in(subscripts[i]));
    }
  }
  std::vector<Term> terms;
  std::array<int, kEllipsis> uses{};
  for (size_t i = 0; i < operands.size(); ++i) {
    Term term{parse_labels(subscripts[i], operands[i].dim(), ellipsis, i), operands[i]};
    for (const int label : term.labels) {
      if (label < kEllipsis) ++uses[static_cast<size_t>(label)];
    }
    terms.push_back(without_repeats(std::move(term)));
  }

  std::vector<int> output;
  if (arrow == std::string_view::npos) {
    // Without an arrow: the dimensions under "...", then the letters that stand once, in their order.
    for (int d = 0; d < ellipsis; ++d) output.push_back(kEllipsis + d);
    for (int letter = 0; letter < kEllipsis; ++letter) {
      if (uses[static_cast<size_t>(letter)] == 1) output.push_back(letter);
    }
  } else {
    const std::string_view right = equation.substr(arrow + 2);
    const bool dots = right.find('.') != std::string_view::npos;
    output = parse_labels(right, letters_in(right) + (dots ? ellipsis : 0), ellipsis, operands.size());
    for (const int label : output) {
      check(std::count(output.begin(), output.end(), label) == 1,
            "einsum(): output subscript {} appears more than once in the output", static_cast<char>(label));
      check(label >= kEllipsis || uses[static_cast<size_t>(label)] > 0,
            "einsum(): output subscript {} does not appear in the equation for any input operand",
            static_cast<char>(label));
    }
  }

  // Labels of one name must have one size, or 1.
  for (const Term& a : terms) {
    for (const Term& b : terms) {
      for (size_t i = 0; i < a.labels.size(); ++i) {
        for (size_t j = 0; j < b.labels.size(); ++j) {
          const int64_t x = a.tensor.sizes()[i], y = b.tensor.sizes()[j];
          check(a.labels[i] != b.labels[j] || x == y || x == 1 || y == 1,
                "einsum(): operands do not broadcast with remapped shapes [original->remapped]: sizes {} and {}",
                a.tensor.sizes(), b.tensor.sizes());
        }
      }
    }
  }

  Term result = std::move(terms[0]);
  for (size_t i = 1; i < terms.size(); ++i) {
    std::vector<int> wanted = output;
    for (size_t j = i + 1; j < terms.size(); ++j) {
      wanted.insert(wanted.end(), terms[j].labels.begin(), terms[j].labels.end());
    }
    result = contract(std::move(result), std::move(terms[i]), wanted);
  }
  const Tensor y = aligned(reduce_to(std::move(result), output), output);
  return operands.size() == 1 ? y : own_tensor(y);
}

}  // namespace wengert
