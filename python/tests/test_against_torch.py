"""Lines of Python, run with wengert and with torch: what they print is the same, to the character."""

import contextlib
import io

import pytest

import wengert

torch = pytest.importorskip("torch")

LINES = {
    "notebook": """
torch.manual_seed(0)
D = torch.rand(3, 4)
C = torch.rand(3, 2, requires_grad=True)
F = torch.rand((2, 4), requires_grad=True)
D_hat = torch.mm(C, F)
loss = ((D - D_hat) ** 2).sum()
print(D, C, F, D_hat, loss)
loss.backward()
print(C.grad, F.grad)
with torch.no_grad():
    C -= 0.01 * C.grad
    F -= 0.01 * F.grad
    C.grad.zero_()
    F.grad.zero_()
print(C, F, C.grad)
""",
    "making": """
print(torch.zeros(2, 3), torch.zeros((2, 3)), torch.ones(2, dtype=torch.float64), torch.empty(0), torch.full((2,), 7))
print(torch.tensor([[1, 2], [3, 4]]), torch.tensor(3.5), torch.tensor([True, False]), torch.tensor([1, 2.5]), torch.tensor([]))
print(torch.tensor([1.0], requires_grad=True), torch.tensor([1, 2], dtype=torch.float32), torch.tensor(2, dtype=float))
print(torch.arange(5), torch.arange(1, 2, 0.25), torch.linspace(0, 1, 5), torch.eye(2), torch.eye(2, 3), torch.logspace(0, 2, 3))
print(torch.zeros_like(torch.ones(2)), torch.ones(2).new_zeros(3), torch.ones(2).new_full((2,), 3.0), torch.rand_like(torch.ones(1)).shape)
""",
    "random": """
torch.manual_seed(7)
print(torch.rand(3), torch.randn(2, 2), torch.randint(10, (4,)), torch.randint(3, 9, (2, 2)), torch.randperm(6))
print(torch.ones(2).uniform_(), torch.ones(2).normal_(1, 2), torch.bernoulli(torch.full((4,), 0.5)), torch.rand(2, dtype=torch.float64))
""",
    "arithmetic": """
x = torch.tensor([[1.0, -2.0], [3.0, 4.5]])
y = torch.tensor([2.0, 0.5])
print(x + y, x - 1, 2 - x, x * y, 1 / x, x / y, x ** 2, 2 ** x, x ** y, x // 2, 7 // x, x % 2, 5 % x, -x, +x, abs(x), x @ y, x @ x)
print(x == y, x != 1, x < y, x <= 1, x > 0, x >= y, ~(x > 0), (x > 0) & (x < 4), (x > 0) | (y > 1), (x > 0) ^ True)
print(torch.tensor([7, -7]) // 2, torch.tensor([7, -7]) % 3, torch.tensor([6, 5]) & 3, torch.tensor(5) / 2)
x += 1; x -= y; x *= 2; x /= y; x **= 2
print(x, x.add(y, alpha=10), torch.add(x, 1, alpha=2), x.sub(y), x.mul(2), x.div(3, rounding_mode="floor"), torch.true_divide(x, 2))
print(float(x[0, 0]), int(torch.tensor(7)), bool(torch.tensor(0)), [1, 2, 3][torch.tensor(1)], f"{torch.tensor(1.5):.3f}", 4.5 in x)
""",
    "indexing": """
x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[-1, 2], x[:, 1], x[..., 0], x[0, 1:, ::2], x[None, 0, 0], x[x > 20], x[[0, 1], [2, 0]], x[:, torch.tensor([0, 2])])
x[0, 0, 0] = 100; x[1] = torch.zeros(3, 4, dtype=torch.int64); x[0, 1, 1:3] = -1; x[x == 100] = 5; x[0, 2] = torch.tensor([1, 2, 3, 4])
print(x, len(x), x[0].tolist(), [row.sum().item() for row in x[0]], x[0, 0, 0].item(), x[1:][0].shape)
""",
    "reductions": """
x = torch.tensor([[1.0, 5.0, 2.0], [4.0, -1.0, 2.5]])
print(x.sum(), x.sum(0), x.sum(dim=1, keepdim=True), torch.sum(x, (0, 1)), x.mean(), x.mean(1), x.prod(), x.prod(0), x.cumsum(1), x.std(), x.var(0), x.norm())
print(x.max(), x.max(1), x.min(dim=0), torch.max(x, 1)[1], x.argmax(), x.argmin(1), x.amax(1), x.sort(1), x.topk(2), x.median(), x.median(1), x.argsort())
print(x.softmax(1), torch.logsumexp(x, 1), x.all(), (x > 4).any(), torch.count_nonzero(x > 1), x.sum(dtype=torch.float64), torch.norm(x, p=1), x.norm(dim=1))
values, indices = x.max(1)
print(values, indices, x.max(1).values, torch.sum(x, dim=None))
""",
    "shapes": """
x = torch.arange(6.0)
print(x.view(2, 3), x.view((3, 2)), x.reshape(-1, 2), x.view(2, 3).t(), x.view(2, 3).T, x.view(1, 2, 3).permute(2, 0, 1).shape, x.unsqueeze(0), x.view(1, 6).squeeze())
print(torch.cat([x, x]), torch.stack((x, x), dim=1).shape, x.split(4), x.chunk(3), x.view(2, 3).unbind(), x[:2].expand(3, 2), x[:2].repeat(2, 2), x.flip(0), x.roll(2))
print(x.view(2, 3).transpose(0, 1).is_contiguous(), x.view(2, 3).stride(), x.size(), x.size(0), x.dim(), x.ndim, x.numel(), x.dtype, torch.tril(torch.ones(2, 2)), torch.diag(x[:2]))
print(torch.meshgrid(x[:2], x[:3], indexing="ij"), x.view(2, 3).flatten(), torch.where(x > 2, x, torch.zeros(6)), torch.nonzero(x > 3), x.gather(0, torch.tensor([5, 0])))
print(torch.zeros(3).scatter_(0, torch.tensor([1]), 5.0), torch.zeros(3).index_add(0, torch.tensor([0, 0]), torch.ones(2)), x.masked_select(x > 3), x.masked_fill(x > 3, 0.0), x.index_select(0, torch.tensor([1, 1])))
""",
    "matrices": """
a = torch.tensor([[4.0, 1.0], [1.0, 3.0]])
b = torch.tensor([1.0, 2.0])
print(a.mm(a), a.mv(b), b.dot(b), torch.outer(b, b), torch.addmm(a, a, a, beta=2), torch.einsum("ij,j->i", a, b), torch.kron(b, b), torch.trace(a), torch.bmm(a[None], a[None]))
print(torch.linalg.solve(a, b), torch.linalg.inv(a), torch.linalg.cholesky(a), torch.det(a), torch.linalg.slogdet(a), torch.linalg.eigh(a), torch.linalg.svdvals(a), torch.tensordot(a, a, dims=1))
""",
    "functions": """
x = torch.tensor([-1.0, 0.25, 2.0])
print(x.exp(), x.abs().log(), x.sin(), x.tanh(), x.sigmoid(), x.relu(), torch.erf(x), x.clamp(-0.5, 1), x.clamp(min=0), torch.clip(x, max=1.0), x.sign(), x.round(), x.floor(), torch.expm1(x), x.square(), x.reciprocal(), torch.lgamma(x.abs()))
F = torch.nn.functional
t = torch.tensor([0.0, 1.0, 1.0])
print(F.mse_loss(x, t), F.mse_loss(x, t, reduction="sum"), F.l1_loss(x, t, reduction="none"), F.cross_entropy(x[None], torch.tensor([2])), F.softplus(x), F.gelu(x), F.elu(x), F.leaky_relu(x, 0.1), F.log_softmax(x, dim=0), F.binary_cross_entropy_with_logits(x, t), F.huber_loss(x, t), F.layer_norm(x, (3,)), F.linear(x, torch.ones(2, 3)), F.one_hot(torch.tensor([0, 2])))
""",
    "autograd": """
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x ** 2).sum()
print(y, y.requires_grad, y.is_leaf, x.is_leaf, x.grad, y.grad_fn.name(), y.grad_fn.next_functions[0][0].name())
y.backward()
print(x.grad)
print(torch.autograd.grad((x ** 3).sum(), x), torch.autograd.grad(x * 2, x, torch.ones(3)))
g, = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)
print(g, torch.autograd.grad(g.sum(), x)[0])
z = x * 2; z.retain_grad(); z.sum().backward(); print(z.grad, x.grad)
x.grad = None; print(x.grad); (x * x).backward(torch.ones(3), retain_graph=True); print(x.grad)
h = x.register_hook(lambda g: g * 10); x.grad = None; x.sum().backward(); print(x.grad); h.remove(); x.grad.zero_(); x.sum().backward(); print(x.grad)
with torch.no_grad(): print((x * 2).requires_grad)
with torch.no_grad():
    with torch.enable_grad(): print((x * 2).requires_grad)
with torch.set_grad_enabled(False): print((x * 2).requires_grad)
@torch.no_grad()
def double(a): return a * 2
print(double(x), x.detach(), torch.is_grad_enabled(), x.data)
with torch.inference_mode(): print((x * 2).is_inference())
print(torch.autograd.functional.jacobian(lambda a: a ** 2, torch.tensor([1.0, 2.0])), torch.autograd.functional.hessian(lambda a: (a ** 3).sum(), torch.tensor([1.0, 2.0])))
print(torch.autograd.functional.vjp(lambda a: a ** 2, torch.tensor([1.0, 2.0]), torch.ones(2)), torch.autograd.functional.hvp(lambda a: (a ** 3).sum(), torch.tensor([1.0]), torch.ones(1)))
""",
    "function": """
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x ** 3
    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        print(ctx.needs_input_grad)
        return 3 * ctx.scale * x ** 2 * grad, None
x = torch.tensor([2.0], requires_grad=True)
y = Cube.apply(x, 5.0)
print(y)
y.backward()
print(x.grad)
""",
    "optim": """
for make in (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), lambda p: torch.optim.Adam(p, lr=0.1), lambda p: torch.optim.AdamW(p), lambda p: torch.optim.Adagrad(p), lambda p: torch.optim.RMSprop(p), lambda p: torch.optim.Adadelta(p), lambda p: torch.optim.Rprop(p)):
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = make([x])
    for _ in range(3):
        optimizer.zero_grad()
        (x ** 2).sum().backward()
        optimizer.step()
    print(x)
x, y = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
optimizer = torch.optim.SGD([{"params": [x]}, {"params": y, "lr": 0.5}], lr=0.1)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
(x + y).backward(); optimizer.step(); schedule.step()
print(x, y, optimizer.param_groups[1]["lr"], schedule.get_last_lr())
optimizer.param_groups[0]["lr"] = 1.0; optimizer.step(); print(x)
optimizer = torch.optim.LBFGS([x], max_iter=4)
def closure():
    optimizer.zero_grad(); loss = ((x - 3) ** 2).sum(); loss.backward(); return loss
optimizer.step(closure); print(x)
""",
    "types": """
x = torch.tensor([1.9, -1.9])
print(x.long(), x.double(), x.to(torch.int64), x.bool(), x.float().dtype, x.type_as(torch.ones(1, dtype=torch.float64)), x.to("cpu"), x.device, torch.cuda.is_available())
print(torch.tensor([1]) + 1.5, torch.tensor([1]) * torch.tensor([1.0]), torch.tensor(True) + 1, torch.get_default_dtype(), torch.float32.is_floating_point, torch.is_tensor(x))
print(torch.allclose(x, x + 1e-9), torch.equal(x, x), x.isnan(), torch.tensor(float("inf")), torch.tensor([1e10, 1e-10]), torch.tensor([float("nan"), 1.0]))
""",
    "errors": """
def name_of(error): return type(error).__name__
x = torch.ones(2, 3)
for attempt in (lambda: x[2], lambda: x @ x, lambda: x + torch.ones(4), lambda: x.sum(5), lambda: x.view(7), lambda: x.foo, lambda: x + "a", lambda: torch.tensor([[1], [2, 3]]),
                lambda: x.item(), lambda: x.backward(), lambda: torch.ones(1, requires_grad=True).numpy(), lambda: len(torch.tensor(1)), lambda: torch.zeros("a"), lambda: x[0, 0, 0]):
    try:
        attempt()
    except Exception as error:
        print(name_of(error))
""",
}


def printed(module, lines):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(lines, {"torch": module})
    return out.getvalue()


@pytest.mark.parametrize("name", LINES)
def test_prints_the_same(name):
    assert printed(wengert, LINES[name]) == printed(torch, LINES[name])
