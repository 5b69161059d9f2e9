#pragma once

// All optimizers.

#include <wengert/optim/adam.h>
#include <wengert/optim/clip_grad.h>
#include <wengert/optim/optimizer.h>
#include <wengert/optim/sgd.h>
