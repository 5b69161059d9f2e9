#include <bindings/casters.h>

namespace wengert::python {
namespace {

// x.f(2, 3) and x.f((2, 3)); `function`: f(x, (2, 3)), too.
template <class F>
void bind_of_sizes(Binder& binder, const char* name, F f, bool as_function = true) {
  binder.method_with_gil(
      name, [f](const Tensor& input, const py::args& args) { return f(input, IntArrayRef(sizes_in(args))); });
  if (as_function) binder.function(name, f, "input"_a, "dims"_a);
}

}  // namespace

void bind_shapes(Binder& binder) {
  const auto dim0 = ("dim"_a = 0);
  bind_of_sizes(
      binder, "view", [](const Tensor& x, IntArrayRef sizes) { return x.view(sizes); }, false);
  bind_of_sizes(binder, "reshape", [](const Tensor& x, IntArrayRef sizes) { return x.reshape(sizes); });
  bind_of_sizes(
      binder, "expand", [](const Tensor& x, IntArrayRef sizes) { return x.expand(sizes); }, false);
  bind_of_sizes(binder, "permute", [](const Tensor& x, IntArrayRef dims) { return x.permute(dims); });
  bind_of_sizes(
      binder, "repeat", [](const Tensor& x, IntArrayRef counts) { return x.repeat(counts); }, false);
  bind_of_sizes(binder, "tile", [](const Tensor& x, IntArrayRef counts) { return x.tile(counts); });
  bind_of_sizes(binder, "flip", [](const Tensor& x, IntArrayRef dims) { return x.flip(dims); });
  binder.both("broadcast_to", broadcast_to, "size"_a)
      .method("view_as", &Tensor::view_as, "other"_a)
      .method("reshape_as", &Tensor::reshape_as, "other"_a)
      .method("expand_as", &Tensor::expand_as, "other"_a)
      .both("t", t)
      .both("transpose", transpose, "dim0"_a, "dim1"_a)
      .both("swapaxes", transpose, "axis0"_a, "axis1"_a)
      .both("swapdims", transpose, "dim0"_a, "dim1"_a)
      .both("squeeze", of<const Tensor&>(&squeeze))
      .both("squeeze", of<const Tensor&, int64_t>(&squeeze), "dim"_a)
      .both("unsqueeze", unsqueeze, "dim"_a)
      .both("select", select, "dim"_a, "index"_a)
      .both("narrow", narrow, "dim"_a, "start"_a, "length"_a)
      .both("as_strided", as_strided, "size"_a, "stride"_a, "storage_offset"_a = py::none())
      .both("diagonal", diagonal, "offset"_a = 0, "dim1"_a = 0, "dim2"_a = 1)
      .both("movedim", of<const Tensor&, IntArrayRef, IntArrayRef>(&movedim), "source"_a, "destination"_a)
      .both("moveaxis", of<const Tensor&, IntArrayRef, IntArrayRef>(&movedim), "source"_a, "destination"_a)
      .both("flatten", flatten, "start_dim"_a = 0, "end_dim"_a = -1)
      .both("ravel", [](const Tensor& input) { return input.ravel(); })
      .both(
          "split", [](const Tensor& input, int64_t size, int64_t dim) { return TensorTuple(split(input, size, dim)); },
          "split_size"_a, dim0)
      .both(
          "split",
          [](const Tensor& input, IntArrayRef sizes, int64_t dim) { return TensorTuple(split(input, sizes, dim)); },
          "split_size"_a, dim0)
      .both(
          "chunk",
          [](const Tensor& input, int64_t chunks, int64_t dim) { return TensorTuple(chunk(input, chunks, dim)); },
          "chunks"_a, dim0)
      .both(
          "unbind", [](const Tensor& input, int64_t dim) { return TensorTuple(unbind(input, dim)); }, dim0)
      .both("repeat_interleave", of<const Tensor&, int64_t, std::optional<int64_t>>(&repeat_interleave), "repeats"_a,
            "dim"_a = py::none())
      .both("repeat_interleave", of<const Tensor&, const Tensor&, std::optional<int64_t>>(&repeat_interleave),
            "repeats"_a, "dim"_a = py::none())
      .both("roll", roll, "shifts"_a, "dims"_a = std::vector<int64_t>())
      .method(
          "split_with_sizes",
          [](const Tensor& self, IntArrayRef sizes, int64_t dim) {
            return TensorTuple(split_with_sizes(self, sizes, dim));
          },
          "split_sizes"_a, dim0)
      .in_place("tril_", &Tensor::tril_, "diagonal"_a = 0)
      .in_place("triu_", &Tensor::triu_, "diagonal"_a = 0)
      .both("adjoint", [](const Tensor& input) { return input.mT(); })
      .both("tril", tril, "diagonal"_a = 0)
      .both("triu", triu, "diagonal"_a = 0)
      .both("diag", diag, "diagonal"_a = 0)
      .both("trace", trace)
      .function("cat", cat, "tensors"_a, dim0)
      .function("concat", cat, "tensors"_a, dim0)
      .function("stack", stack, "tensors"_a, dim0)
      .function(
          "pad",
          [](const Tensor& input, IntArrayRef pads, const std::string& mode, std::optional<double> value) {
            return pad(input, pads, mode, value);
          },
          "input"_a, "pad"_a, "mode"_a = "constant", "value"_a = py::none());
  binder.module().def(
      "meshgrid",
      [](const py::args& tensors, const std::string& indexing) {
        return TensorTuple(meshgrid(py::cast<std::vector<Tensor>>(sequence_in(tensors)), indexing));
      },
      py::kw_only(), "indexing"_a = "ij");

  // --- Elements at positions ---
  binder.both("gather", gather, "dim"_a, "index"_a, py::kw_only(), "sparse_grad"_a = false)
      .both("scatter", of<const Tensor&, int64_t, const Tensor&, const Tensor&>(&scatter), "dim"_a, "index"_a, "src"_a)
      .both("scatter", of<const Tensor&, int64_t, const Tensor&, Scalar>(&scatter), "dim"_a, "index"_a, "value"_a)
      .in_place("scatter_", of<int64_t, const Tensor&, const Tensor&>(&Tensor::scatter_, py::const_), "dim"_a,
                "index"_a, "src"_a)
      .in_place("scatter_", of<int64_t, const Tensor&, Scalar>(&Tensor::scatter_, py::const_), "dim"_a, "index"_a,
                "value"_a)
      .both("scatter_add", scatter_add, "dim"_a, "index"_a, "src"_a)
      .in_place("scatter_add_", &Tensor::scatter_add_, "dim"_a, "index"_a, "src"_a)
      .both("index_select", index_select, "dim"_a, "index"_a)
      .both("index_add", index_add, "dim"_a, "index"_a, "source"_a, py::kw_only(), "alpha"_a = Scalar(1))
      .in_place("index_add_", &Tensor::index_add_, "dim"_a, "index"_a, "source"_a, py::kw_only(), "alpha"_a = Scalar(1))
      .both("masked_select", masked_select, "mask"_a)
      .both("index_put", index_put, "indices"_a, "values"_a, "accumulate"_a = false)
      .in_place("index_put_", of<TensorList, const Tensor&, bool>(&Tensor::index_put_, py::const_), "indices"_a,
                "values"_a, "accumulate"_a = false)
      .both("take", take, "index"_a)
      .both(
          "nonzero",
          [](const Tensor& input, bool as_tuple) {
            return as_tuple ? std::variant<Tensor, TensorTuple>(TensorTuple(where(input.ne(0)))) : nonzero(input);
          },
          py::kw_only(), "as_tuple"_a = false)
      .function("one_hot", one_hot, "tensor"_a, "num_classes"_a = -1);

  // --- What a tensor is ---
  binder.method("dim", &Tensor::dim)
      .method("numel", &Tensor::numel)
      .method("nelement", &Tensor::numel)
      .method("element_size", &Tensor::element_size)
      .method(
          "size", [](const Tensor& self, int64_t dim) { return self.size(dim); }, "dim"_a)
      .method(
          "stride", [](const Tensor& self, int64_t dim) { return self.stride(dim); }, "dim"_a)
      .method("storage_offset", &Tensor::storage_offset)
      .method("data_ptr", [](const Tensor& self) { return reinterpret_cast<uintptr_t>(self.data_ptr()); })
      .method("is_contiguous", &Tensor::is_contiguous)
      .method("is_floating_point", &Tensor::is_floating_point)
      .method("is_inference", &Tensor::is_inference)
      .method("is_same_size", &Tensor::is_same_size, "other"_a)
      .method(
          "is_set_to", [](const Tensor& self, const Tensor& other) { return self.is_same(other); }, "tensor"_a)
      .method("is_nonzero", &Tensor::is_nonzero)
      .method("contiguous", &Tensor::contiguous)
      .method("ndimension", &Tensor::dim)
      .method("is_signed", &Tensor::is_signed)
      .method("is_complex", &Tensor::is_complex)
      .method("_nnz", &Tensor::_nnz)
      .method("_indices", &Tensor::_indices)
      .method("_values", &Tensor::_values)
      .method("cpu", &Tensor::cpu)
      .method("type_as", &Tensor::type_as, "other"_a)
      .method(
          "to",
          [](const Tensor& self, ScalarType dtype, bool non_blocking, bool copy) {
            return self.to(dtype, non_blocking, copy);
          },
          "dtype"_a, "non_blocking"_a = false, "copy"_a = false)
      .method(
          "to", [](const Tensor& self, const Tensor& other) { return self.to(other.dtype()); }, "other"_a);
  for (const char* name : {"positive", "conj", "resolve_conj", "resolve_neg"}) {
    binder.method(name, [](const Tensor& self) { return self; });
  }
  for (const auto& [name, dtype] :
       {std::pair("float", kFloat), std::pair("double", kDouble), std::pair("long", kLong), std::pair("bool", kBool)}) {
    binder.method(name, [to = dtype](const Tensor& self) { return self.to(to); });
  }
  binder.method_with_gil(
      "to",
      [](const Tensor& self, const py::object& device) {
        const auto name = py::cast<std::string>(py::str(device));
        if (name.rfind("cpu", 0) != 0) throw Error("tensors live on the CPU alone, not on " + name);
        return self;
      },
      "device"_a);
  binder.method_with_gil("size", [](const Tensor& self) { return to_size(self.sizes()); });
  binder.method_with_gil("stride", [](const Tensor& self) { return py::tuple(py::cast(self.strides().vec())); });
  binder.method_with_gil("item", [](const Tensor& self) {
    Scalar value;
    {
      const py::gil_scoped_release release;
      value = self.item();
    }
    return value;
  });
}

}  // namespace wengert::python
