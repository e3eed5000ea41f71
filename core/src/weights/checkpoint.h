// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// A zip archive of torch.save or torch.jit.save. Tensors that share a storage in the file share it
/// here. Of a TorchScript archive the object that data.pkl holds is read: a tensor's name is the
/// path of attributes to it. Throws Error: damaged, no such archive, no tensors in it.
TensorFile openCheckpoint(const std::shared_ptr<const MappedFile>& file);

}  // namespace adamerge
