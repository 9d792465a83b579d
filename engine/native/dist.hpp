// A group of processes, as the entries of several files hold it.
#pragma once

#include "core.hpp"

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace eng {

struct Group {
  c10::intrusive_ptr<c10d::ProcessGroup> group;
};

}  // namespace eng
