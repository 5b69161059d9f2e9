#pragma once

// All of Wengert.

#include <wengert/autograd/anomaly_mode.h>
#include <wengert/autograd/autograd.h>
#include <wengert/autograd/checkpoint.h>
#include <wengert/autograd/custom_function.h>
#include <wengert/autograd/draw.h>
#include <wengert/autograd/factories.h>
#include <wengert/autograd/functional.h>
#include <wengert/autograd/generator.h>
#include <wengert/autograd/grad_mode.h>
#include <wengert/autograd/gradcheck.h>
#include <wengert/autograd/inference_mode.h>
#include <wengert/autograd/memory.h>
#include <wengert/autograd/printing.h>
#include <wengert/autograd/tensor.h>
#include <wengert/autograd/version.h>
#include <wengert/ops/kernels/threads.h>
#include <wengert/ops/linalg.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/replay.h>
#include <wengert/ops/second_names.h>
#include <wengert/ops/sparse.h>
#include <wengert/ops/tensor_index.h>
#include <wengert/optim/optim.h>
