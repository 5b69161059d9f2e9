#pragma once

// All optimizers, schedules of their learning rates, and averages of parameters.

#include <wengert/optim/adadelta.h>
#include <wengert/optim/adagrad.h>
#include <wengert/optim/adam.h>
#include <wengert/optim/adamax.h>
#include <wengert/optim/adamw.h>
#include <wengert/optim/asgd.h>
#include <wengert/optim/averages.h>
#include <wengert/optim/clip_grad.h>
#include <wengert/optim/lbfgs.h>
#include <wengert/optim/lr_scheduler.h>
#include <wengert/optim/nadam.h>
#include <wengert/optim/optimizer.h>
#include <wengert/optim/radam.h>
#include <wengert/optim/rmsprop.h>
#include <wengert/optim/row_gauss_newton.h>
#include <wengert/optim/rprop.h>
#include <wengert/optim/sgd.h>
#include <wengert/optim/sparse_adam.h>
