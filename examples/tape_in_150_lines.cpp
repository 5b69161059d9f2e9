// A whole tape: matrices, a graph that is recorded as they are computed with, and the walk back through it; then the
// notebook, D approximated by C F. It needs nothing but the standard library. docs/tour/8-the-whole-tape.md says what
// each file of autograd/ adds to it, and why.

#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace tape {

struct Matrix {
  Matrix() = default;
  Matrix(size_t rows, size_t columns, double value = 0) : rows(rows), columns(columns), x(rows * columns, value) {}
  Matrix(size_t rows, size_t columns, const std::vector<double>& x) : rows(rows), columns(columns), x(x) {}
  double& operator()(size_t i, size_t j) { return x[i * columns + j]; }
  double operator()(size_t i, size_t j) const { return x[i * columns + j]; }
  size_t rows = 0, columns = 0;
  std::vector<double> x;  // row by row
};

template <class F>
Matrix elementwise(const Matrix& a, const Matrix& b, const F& f) {
  Matrix c(a.rows, a.columns);
  for (size_t i = 0; i < c.x.size(); ++i) c.x[i] = f(a.x[i], b.x[i]);
  return c;
}
Matrix plus(const Matrix& a, const Matrix& b) { return elementwise(a, b, std::plus()); }
void accumulate(Matrix& sum, const Matrix& G) { sum = sum.x.empty() ? G : plus(sum, G); }
Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (size_t k = 0; k < a.x.size(); ++k) t(k % a.columns, k / a.columns) = a.x[k];
  return t;
}
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t k = 0; k < a.columns; ++k)
      for (size_t j = 0; j < b.columns; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}

// What one operation leaves behind: where the gradients of its inputs go, and how they follow from that of its output.
struct Node {
  std::vector<std::shared_ptr<Node>> next;                        // those of its inputs; null where none is wanted
  std::function<std::vector<Matrix>(const Matrix& G)> gradients;  // one for each input, from G = dL/d(output)
  int level = 0;                                                  // one more than the highest of `next`
};

// A handle: copies are the same tensor.
class Tensor {
 public:
  explicit Tensor(const Matrix& value, bool requires_grad = false) : body_(std::make_shared<Body>()) {
    body_->value = value;
    if (!requires_grad) return;
    body_->node = std::make_shared<Node>();  // a leaf's: gradients end here, and add up
    body_->node->gradients = [grad = body_->grad](const Matrix& G) {
      return accumulate(*grad, G), std::vector<Matrix>();
    };
  }
  Matrix& value() const { return body_->value; }
  Matrix& grad() const { return *body_->grad; }
  const std::shared_ptr<Node>& node() const { return body_->node; }

  // Makes `value` the result of an operation on these inputs.
  template <class Gradients>
  static Tensor record(const Matrix& value, const std::vector<Tensor>& inputs, const Gradients& gradients) {
    Tensor out(value);
    auto node = std::make_shared<Node>();
    for (const Tensor& input : inputs) {
      node->next.push_back(input.node());
      if (input.node()) node->level = std::max(node->level, input.node()->level + 1);
    }
    node->gradients = gradients;
    if (node->level > 0) out.body_->node = node;
    return out;
  }

 private:
  struct Body {
    Matrix value;
    std::shared_ptr<Matrix> grad = std::make_shared<Matrix>();
    std::shared_ptr<Node> node;
  };
  std::shared_ptr<Body> body_;
};

// The operations, each with the gradients that follow from G. What a gradient needs later, it captures: that is saved.
Tensor operator+(const Tensor& a, const Tensor& b) {
  return Tensor::record(plus(a.value(), b.value()), {a, b}, [](const Matrix& G) { return std::vector{G, G}; });
}
Tensor operator-(const Tensor& a, const Tensor& b) {
  return Tensor::record(elementwise(a.value(), b.value(), std::minus()), {a, b}, [](const Matrix& G) {
    return std::vector{G, elementwise(Matrix(G.rows, G.columns), G, std::minus())};
  });
}
Tensor mm(const Tensor& a, const Tensor& b) {
  return Tensor::record(product(a.value(), b.value()), {a, b}, [A = a.value(), B = b.value()](const Matrix& G) {
    return std::vector{product(G, transposed(B)), product(transposed(A), G)};
  });
}
Tensor pow(const Tensor& a, double p) {
  const auto power = [p](double x, double) { return std::pow(x, p); };
  return Tensor::record(elementwise(a.value(), a.value(), power), {a}, [p, A = a.value()](const Matrix& G) {
    return std::vector{elementwise(G, A, [p](double g, double x) { return g * p * std::pow(x, p - 1); })};
  });
}
Tensor sum(const Tensor& a) {
  double s = 0;
  for (const double x : a.value().x) s += x;
  return Tensor::record(Matrix(1, 1, s), {a}, [rows = a.value().rows, columns = a.value().columns](const Matrix& G) {
    return std::vector{Matrix(rows, columns, G(0, 0))};
  });
}

// The walk: of the Nodes that gradients have reached, always one of the highest level. All that could send it another
// gradient lies above it and has run.
void backward(const Tensor& root) {
  std::map<std::pair<int, Node*>, Matrix, std::greater<>> pending;
  if (root.node()) pending[{root.node()->level, root.node().get()}] = Matrix(1, 1, 1);
  while (!pending.empty()) {
    const auto now = pending.extract(pending.begin());
    const Node* node = now.key().second;
    const std::vector<Matrix> gradients = node->gradients(now.mapped());
    for (size_t i = 0; i < node->next.size(); ++i) {
      if (Node* to = node->next[i].get()) accumulate(pending[{to->level, to}], gradients[i]);
    }
  }
}

}  // namespace tape

int main() {
  using tape::Tensor;
  const Tensor D({3, 4, {.0456, .1537, .0830, .0980, .2683, .4260, .4277, .4913, .4779, .7156, .7563, .8673}});
  Tensor C({3, 2, {.9721, .2518, .0386, .5858, .4206, .2610}}, true);
  Tensor F({2, 4, {.8656, .0336, .1317, .2444, .4919, .4990, .4563, .7689}}, true);
  for (int iteration = 0; iteration <= 10000; ++iteration) {
    const Tensor loss = sum(pow(D - mm(C, F), 2));
    if (iteration % 1000 == 0) std::printf("%6d  %.6f\n", iteration, loss.value()(0, 0));
    backward(loss);
    for (Tensor* parameter : {&C, &F}) {
      for (size_t i = 0; i < parameter->grad().x.size(); ++i) parameter->value().x[i] -= .001 * parameter->grad().x[i];
      parameter->grad() = tape::Matrix();
    }
  }
  return 0;
}
