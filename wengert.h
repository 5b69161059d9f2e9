#pragma once

// All of Wengert.

#include <wengert/autograd/base/generator.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/base/memory.h>
#include <wengert/autograd/base/version.h>
#include <wengert/autograd/serialize/npy.h>
#include <wengert/autograd/serialize/save.h>
#include <wengert/autograd/tape/anomaly_mode.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tape/custom_function.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tensor/tensor.h>
#include <wengert/autograd/tools/checkpoint.h>
#include <wengert/autograd/tools/draw.h>
#include <wengert/autograd/tools/functional.h>
#include <wengert/autograd/tools/gradcheck.h>
#include <wengert/autograd/tools/printing.h>
#include <wengert/autograd/tools/profile.h>
#include <wengert/autograd/tools/trace.h>
#include <wengert/ops/kernels/threads.h>
#include <wengert/ops/linalg.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/replay.h>
#include <wengert/ops/second_names.h>
#include <wengert/ops/sparse.h>
#include <wengert/ops/sparse_matrix.h>
#include <wengert/ops/tensor_index.h>
#include <wengert/optim/optim.h>
