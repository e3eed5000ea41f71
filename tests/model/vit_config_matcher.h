// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include "adamerge/model_info.h"

namespace adamerge::test {

/// The small network all of tests/data/vit-variants vary.
inline VitConfig smallVit() {
  VitConfig vit;
  vit.input_height = 32;
  vit.input_width = 32;
  vit.patch_size = 8;
  vit.dim = 32;
  vit.depth = 2;
  vit.heads = 4;
  vit.mlp_hidden = 128;
  vit.position_grid_height = 4;
  vit.position_grid_width = 4;
  vit.classes = 7;
  return vit;
}

inline void expectSame(const VitConfig& found, const VitConfig& wanted) {
  EXPECT_EQ(found.input_height, wanted.input_height);
  EXPECT_EQ(found.input_width, wanted.input_width);
  EXPECT_EQ(found.patch_size, wanted.patch_size);
  EXPECT_EQ(found.channels, wanted.channels);
  EXPECT_EQ(found.dim, wanted.dim);
  EXPECT_EQ(found.depth, wanted.depth);
  EXPECT_EQ(found.heads, wanted.heads);
  EXPECT_EQ(found.mlp_hidden, wanted.mlp_hidden);
  EXPECT_EQ(found.class_token, wanted.class_token);
  EXPECT_EQ(found.distillation_token, wanted.distillation_token);
  EXPECT_EQ(found.register_tokens, wanted.register_tokens);
  EXPECT_EQ(found.position_covers_prefix, wanted.position_covers_prefix);
  EXPECT_EQ(found.position_grid_height, wanted.position_grid_height);
  EXPECT_EQ(found.position_grid_width, wanted.position_grid_width);
  EXPECT_EQ(found.patch_bias, wanted.patch_bias);
  EXPECT_EQ(found.pre_norm, wanted.pre_norm);
  EXPECT_EQ(found.qkv_bias, wanted.qkv_bias);
  EXPECT_EQ(found.qk_norm, wanted.qk_norm);
  EXPECT_EQ(found.layer_scale, wanted.layer_scale);
  EXPECT_EQ(found.final_norm, wanted.final_norm);
  EXPECT_EQ(found.fc_norm, wanted.fc_norm);
  EXPECT_EQ(found.norm_epsilon, wanted.norm_epsilon);
  EXPECT_EQ(found.activation, wanted.activation);
  EXPECT_EQ(found.pooling, wanted.pooling);
  EXPECT_EQ(found.classes, wanted.classes);
}

}  // namespace adamerge::test
