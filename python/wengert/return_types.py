"""What functions with several results return: tuples whose elements have names."""


def _make(name, *fields):
    def __new__(cls, values):
        return tuple.__new__(cls, values)

    def __repr__(self):
        lines = ",\n".join(f"{field}={value}" for field, value in zip(fields, self))
        return f"torch.return_types.{name}(\n{lines})"

    members = {"__new__": __new__, "__repr__": __repr__, "__slots__": (), "__module__": __name__}
    for i, field in enumerate(fields):
        members[field] = property(lambda self, i=i: self[i])
    return type(name, (tuple,), members)


max = _make("max", "values", "indices")
min = _make("min", "values", "indices")
sort = _make("sort", "values", "indices")
topk = _make("topk", "values", "indices")
median = _make("median", "values", "indices")
slogdet = _make("slogdet", "sign", "logabsdet")
svd = _make("svd", "U", "S", "V")
qr = _make("qr", "Q", "R")
linalg_slogdet = _make("linalg_slogdet", "sign", "logabsdet")
linalg_svd = _make("linalg_svd", "U", "S", "Vh")
linalg_qr = _make("linalg_qr", "Q", "R")
linalg_eigh = _make("linalg_eigh", "eigenvalues", "eigenvectors")
